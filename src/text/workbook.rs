//! The log as a workbook (XLSX): dates are dates, times are times, lengths add up, and nothing is a formula.
//!
//! The only file that names `rust_xlsxwriter`. Rows go to a temporary file as they come, so that a year of them takes no
//! more memory than a day.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::outcome::{LOG_COLUMNS, began, file_columns, file_line};
use crate::asrun::Airing;
use crate::schedule::Schedule;

/// The sheet's name.
const SHEET: &str = "Nhật ký phát thanh";
/// How long it sounded: a column that paper has no room for.
const LENGTH: &str = "Thời lượng phát";
/// How wide the columns are, in letters.
const WIDTHS: [f64; 21] = [
    6.0, 11.0, 22.0, 10.0, 10.0, 10.0, 8.0, 44.0, 14.0, 8.0, 14.0, 26.0, 20.0, 24.0, 24.0, 12.0, 14.0, 34.0,
    14.0, 11.0, 12.0,
];
/// How high the head is, in points: its names take two lines, for which not every spreadsheet makes room by itself.
const HEAD_HEIGHT: f64 = 30.0;
/// What a cell holds at most, in letters.
const LONGEST: usize = 32_767;
/// The seconds of a spreadsheet's day.
const DAY: f64 = 86_400.0;

/// The workbook could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a workbook of the log")]
pub struct BookError(#[from] XlsxError);

/// A workbook that is being written.
pub struct Book {
    workbook: Workbook,
    zone: TimeZone,
    now: Timestamp,
    rows: u32,
    date: Format,
    time: Format,
    tenths: Format,
    length: Format,
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Book {
    /// A workbook made at this instant, with a head that stays in sight, in local times of a schedule's station.
    pub fn new(schedule: &Schedule, now: Timestamp) -> Result<Self, BookError> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet
            .set_name(SHEET)?
            .set_freeze_panes(1, 0)?
            .set_landscape()
            .set_paper_size(A4)
            .set_repeat_rows(0, 0)?
            .set_row_height(0, HEAD_HEIGHT)?;
        for (column, width) in (0..).zip(WIDTHS) {
            sheet.set_column_width(column, width)?;
        }
        let bold = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let mut head = file_columns(Some(schedule));
        head.insert(LOG_COLUMNS.len(), LENGTH);
        for (column, name) in (0..).zip(head) {
            sheet.write_string_with_format(0, column, name, &bold)?;
        }
        let format = |code: &str| Format::new().set_num_format(code);
        Ok(Self {
            workbook,
            zone: schedule.time_zone.clone(),
            now,
            rows: 0,
            date: format("dd/mm/yyyy"),
            time: format("hh:mm:ss"),
            tenths: format("0.0"),
            length: format("[h]:mm:ss"),
        })
    }

    /// Adds an airing.
    pub fn airing(&mut self, schedule: &Schedule, airing: &Airing) -> Result<(), BookError> {
        self.rows += 1;
        let (row, number) = (self.rows, usize::try_from(self.rows).unwrap_or(usize::MAX));
        let mut line = file_line(number, airing, Some(schedule), &self.zone, self.now);
        line.insert(LOG_COLUMNS.len(), String::new());
        // To the nearest second, as the paper log has it.
        let local = |at: Timestamp| self.zone.to_datetime(at.round(Unit::Second).unwrap_or(at));
        let planned = local(airing.item.planned);
        let sheet = self.workbook.worksheet_from_index(0)?;
        let time = |sheet: &mut Worksheet, column, at: Option<Timestamp>| match at {
            Some(at) => sheet.write_with_format(row, column, &local(at).time(), &self.time).map(drop),
            None => Ok(()),
        };
        for (column, text) in (0..).zip(&line) {
            match column {
                0 => drop(sheet.write_number(row, column, self.rows)?),
                1 => drop(sheet.write_with_format(row, column, &planned.date(), &self.date)?),
                3 => time(sheet, column, Some(airing.item.planned))?,
                4 => time(sheet, column, began(airing))?,
                5 => time(sheet, column, airing.ended())?,
                6 => {
                    if let Some(late) = airing.lateness() {
                        sheet.write_number_with_format(row, column, seconds(late), &self.tenths)?;
                    }
                }
                _ if text.is_empty() => {}
                _ => {
                    let text: String = text.chars().take(LONGEST).collect();
                    sheet.write_string(row, column, text)?;
                }
            }
        }
        let heard = airing.heard();
        if !heard.is_zero() {
            sheet.write_number_with_format(row, 19, heard.as_secs_f64() / DAY, &self.length)?;
        }
        Ok(())
    }

    /// The file's bytes.
    pub fn finish(mut self) -> Result<Vec<u8>, BookError> {
        Ok(self.workbook.save_to_buffer()?)
    }
}

/// The code of A4 in a spreadsheet.
const A4: u8 = 9;

/// Seconds, to the tenth.
fn seconds(length: SignedDuration) -> f64 {
    (length.as_secs_f64() * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::super::outcome::tests::airing;
    use super::*;
    use crate::schedule::Output;
    use crate::timeline::fixture::schedule;

    /// What a reader of the format finds in a part of a workbook.
    fn part(bytes: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn cells_have_their_types_and_none_is_a_formula() {
        let schedule = schedule("Asia/Ho_Chi_Minh", Vec::new());
        let mut book = Book::new(&schedule, Timestamp::MAX).unwrap();
        let mut second = airing();
        second.item.segment.as_mut().unwrap().title = "=HYPERLINK(\"http://x\")".to_owned();
        second.takes.clear();
        book.airing(&schedule, &airing()).unwrap();
        book.airing(&schedule, &second).unwrap();
        let bytes = book.finish().unwrap();
        let sheet = part(&bytes, "xl/worksheets/sheet1.xml");
        let value = |cell: &str| {
            let (_, rest) = sheet.split_once(&format!("<c r=\"{cell}\""))?;
            rest.split_once("<v>")?.1.split_once("</v>")?.0.parse::<f64>().ok()
        };
        let near = |cell: &str, expected: f64| {
            let found = value(cell).unwrap();
            assert!((found - expected).abs() < 1e-9, "{cell}: {found} and not {expected}");
        };
        near("A2", 1.0);
        near("B2", 46_349.0); // 23/11/2026
        near("D2", (5.0 * 3_600.0 + 32.0 * 60.0) / DAY);
        near("F2", (5.0 * 3_600.0 + 32.0 * 60.0 + 5.0) / DAY);
        near("G2", 0.3);
        near("T2", 5.0 / DAY);
        assert!(
            !sheet.contains("r=\"E3\"") && !sheet.contains("r=\"T3\""),
            "what did not air has no times: {sheet}"
        );
        assert!(!sheet.contains("r=\"U1\"") && !sheet.contains("Đường ra"), "{sheet}");
        assert!(!sheet.contains("<f>") && sheet.contains("state=\"frozen\""), "{sheet}");
        assert!(
            sheet.contains("=HYPERLINK(")
                && sheet.contains("Quét mã QR")
                && sheet.contains("Giờ phát thực tế")
        );
        let styles = part(&bytes, "xl/styles.xml");
        for format in ["dd/mm/yyyy", "hh:mm:ss"] {
            assert!(styles.contains(format), "{format} in {styles}");
        }
    }

    #[test]
    fn of_several_outputs_each_line_says_which() {
        let mut schedule = schedule("Asia/Ho_Chi_Minh", Vec::new());
        let second = Output { id: "loa-thon".into(), ..schedule.outputs[0].clone() };
        schedule.outputs.push(second);
        let mut book = Book::new(&schedule, Timestamp::MAX).unwrap();
        book.airing(&schedule, &airing()).unwrap();
        let sheet = part(&book.finish().unwrap(), "xl/worksheets/sheet1.xml");
        let (_, head) = sheet.split_once("r=\"U1\"").unwrap();
        let (_, line) = head.split_once("r=\"U2\"").unwrap();
        assert!(head.contains("Đường ra") && line.contains("loa-xa"), "{sheet}");
        assert!(sheet.contains("r=\"T2\""), "beside how long it sounded: {sheet}");
    }
}
