//! What `backup` and `restore` say of what they could not copy, and of where a station went.

/// A backup can be made only under a name.
pub fn names_no_folder(to: &str) -> String {
    format!(
        "`{to}` không phải tên của một thư mục mới, nên chưa sao lưu gì. Hãy ghi cả tên thư mục sẽ được tạo, ví dụ \
         `/media/usb/loa-2026-11-23`."
    )
}

/// Something that is no broken-off backup has the name that a backup has until it is whole.
pub fn in_the_way(aside: &str) -> String {
    format!(
        "`{aside}` đã có sẵn mà không phải do một lần sao lưu dở dang để lại, nên chưa sao lưu gì. Hãy đổi tên hoặc dời nó đi, \
         rồi chạy lại lệnh này."
    )
}

/// Files that could not be read, and so are not in the copy: each by its name, and what the system said.
pub fn not_copied<'u>(files: impl Iterator<Item = (String, &'u std::io::Error)>) -> String {
    let files: Vec<_> = files.map(|(name, cause)| format!("- `{name}` (hệ thống báo: {cause})")).collect();
    format!(
        "Có {} tệp không đọc được, nên không có trong bản chép:\n{}\nHãy xem lại quyền đọc của tệp, nơi liên kết trỏ tới và ổ \
         đĩa; chạy lệnh bằng tài khoản của đài (`sudo -u loa loa …`), rồi làm lại.",
        files.len(),
        files.join("\n")
    )
}

/// The schedule in a backup is none that a station would air by.
pub fn schedule_broken_in_backup(count: usize) -> String {
    format!(
        "Lịch phát trong bản sao lưu này có {count} lỗi, nên đài khôi phục từ đó sẽ không phát theo lịch được. Hãy sửa lịch của \
         đài rồi sao lưu lại:"
    )
}

/// The schedule of a station that was restored is none that it would air by.
pub fn schedule_broken_in_station(to: &str, count: usize) -> String {
    format!(
        "Lịch phát của đài ở `{to}` có {count} lỗi, nên đài chưa phát theo lịch được. Hãy sửa lịch, rồi chạy `loa check \
         --station {to}`:"
    )
}

/// A backup was restored and checked.
pub fn restored(to: &str, files: usize, rows: i64) -> String {
    format!(
        "Đã khôi phục vào `{to}` và kiểm tra: {files} bản ghi có đúng tệp, nhật ký {rows} dòng nguyên vẹn."
    )
}

/// The folder to restore into holds something else.
pub fn holds_other_things(to: &str) -> String {
    format!(
        "`{to}` đã có tệp hay thư mục khác, nên chưa khôi phục gì. Hãy chỉ một thư mục trống, hoặc chưa có, bằng `--station`, \
         ví dụ `--station /var/lib/loa-moi`."
    )
}
