//! Answers on paper and on screens: columns for people, CSV for spreadsheets.

use std::io::{self, Write};

/// CSV (RFC 4180) that spreadsheets open rightly, written line by line: UTF-8 with a byte order mark. A cell that a
/// spreadsheet would take for a formula is kept from being one.
#[derive(Debug)]
pub struct Csv<W> {
    to: W,
    separator: char,
}

impl<W: Write> Csv<W> {
    /// Begins with the head, for programs.
    pub fn new(head: impl IntoIterator<Item = impl AsRef<str>>, to: W) -> io::Result<Self> {
        Self::begin(head, ',', to)
    }

    /// The same for a double click in Excel where the comma is the decimal mark, as in Viet Nam: Excel divides cells at
    /// `;` there, whatever the list separator is set to. A first line `sep=` would fit every place, but makes Excel
    /// overlook the byte order mark and misread all letters with accents.
    pub fn for_excel(head: impl IntoIterator<Item = impl AsRef<str>>, to: W) -> io::Result<Self> {
        Self::begin(head, ';', to)
    }

    fn begin(
        head: impl IntoIterator<Item = impl AsRef<str>>,
        separator: char,
        mut to: W,
    ) -> io::Result<Self> {
        to.write_all("\u{feff}".as_bytes())?;
        let mut csv = Self { to, separator };
        csv.row(head)?;
        Ok(csv)
    }

    /// Writes a line.
    pub fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) -> io::Result<()> {
        let cells: Vec<_> = cells.into_iter().map(|cell| csv_cell(cell.as_ref(), self.separator)).collect();
        write!(self.to, "{}\r\n", cells.join(self.separator.encode_utf8(&mut [0; 4])))
    }

    /// What it was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

/// Rows under a head.
#[derive(Debug, Clone, Default)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The same with these columns only, in this order.
    pub fn only(&self, columns: &[usize]) -> Self {
        let cut =
            |line: &Vec<String>| columns.iter().filter_map(|column| line.get(*column).cloned()).collect();
        Self { head: cut(&self.head), rows: self.rows.iter().map(cut).collect() }
    }

    /// The same with one more column, before the others.
    pub fn after_column<S: Into<String>>(&self, head: &str, cells: impl IntoIterator<Item = S>) -> Self {
        let put = |first: String, line: &Vec<String>| [vec![first], line.clone()].concat();
        Self {
            head: put(head.to_owned(), &self.head),
            rows: cells.into_iter().zip(&self.rows).map(|(cell, row)| put(cell.into(), row)).collect(),
        }
    }

    /// Writes it in columns as wide as their widest cell.
    pub fn print(&self, to: &mut impl Write) -> io::Result<()> {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let columns = self.head.len();
        let width = |column: usize| {
            lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for line in lines() {
            let cells: Vec<_> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(to, "{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }

    /// Writes it as CSV.
    pub fn csv(&self, to: &mut impl Write) -> io::Result<()> {
        let mut csv = Csv::new(&self.head, to)?;
        self.rows.iter().try_for_each(|row| csv.row(row))
    }
}

/// What makes a cell a formula where it stands first, also in its wide form.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn csv_cell(cell: &str, separator: char) -> String {
    let formula = cell.starts_with(FORMULA) && cell.parse::<f64>().is_err();
    let guarded = if formula { format!("'{cell}") } else { cell.to_owned() };
    if guarded.contains([separator, '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// A title for a column of a screen.
pub fn shortened(title: &str) -> String {
    const MOST: usize = 48;
    if title.chars().count() <= MOST {
        return title.to_owned();
    }
    let begin: String = title.chars().take(MOST - 1).collect();
    format!("{}…", begin.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["Giờ", "Tên"]);
        table.row(["05:30:00", "Nhạc hiệu, \"lời xướng\""]);
        table.row(["-3.5", "=1+1"]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_letters() {
        let mut text = Vec::new();
        table().print(&mut text).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "Giờ       Tên\n05:30:00  Nhạc hiệu, \"lời xướng\"\n-3.5      =1+1\n"
        );
    }

    #[test]
    fn some_columns_are_shown_in_the_order_asked_for() {
        let mut text = Vec::new();
        table().only(&[1, 0]).print(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("Tên") && text.ends_with(&format!("{:22}  -3.5\n", "=1+1")), "{text}");
    }

    #[test]
    fn excel_gets_semicolons_and_no_formula_however_it_begins() {
        let mut csv = Csv::for_excel(["Tên", "Lệch"], Vec::new()).unwrap();
        csv.row(["＝1+1; \"hai\"\ndòng", "0,3"]).unwrap();
        csv.row(["\n=1+1", "@a"]).unwrap();
        let text = String::from_utf8(csv.into_inner()).unwrap();
        assert_eq!(text, "\u{feff}Tên;Lệch\r\n\"'＝1+1; \"\"hai\"\"\ndòng\";0,3\r\n\"'\n=1+1\";'@a\r\n");
    }

    #[test]
    fn spreadsheets_get_quotes_and_no_formulas() {
        let mut text = Vec::new();
        table().csv(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "\u{feff}Giờ,Tên\r\n05:30:00,\"Nhạc hiệu, \"\"lời xướng\"\"\"\r\n-3.5,'=1+1\r\n");
    }

    #[test]
    fn a_long_title_is_cut_where_it_says_that_it_goes_on() {
        assert_eq!(shortened("Bản tin"), "Bản tin");
        let cut = shortened(&"ế".repeat(60));
        assert!(cut.chars().count() == 48 && cut.ends_with("ế…"), "{cut}");
    }
}
