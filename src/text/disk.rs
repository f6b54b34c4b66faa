//! What a person is to do about folders and files: rights, room, a disk that is not there.

use std::fmt;
use std::io::{Error, ErrorKind};

use jiff::Zoned;

/// Gives a station's files back to the account that it runs as, where it is installed as README has it.
pub const GIVE_BACK: &str = "`sudo chown -R loa:audio /var/lib/loa && sudo chmod -R u+rwX /var/lib/loa`";

/// What could not be done with a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// To find it.
    Find,
    /// To make a folder.
    Make,
    /// To list a folder.
    List,
    /// To write it, or into it.
    Write,
    /// To remove it.
    Remove,
    /// To lock it.
    Lock,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Find => "Không tìm được",
            Self::Make => "Không tạo được thư mục",
            Self::List => "Không đọc được thư mục",
            Self::Write => "Không ghi được",
            Self::Remove => "Không xóa được",
            Self::Lock => "Không khóa được",
        })
    }
}

/// What could not be done, and what to do about it; the system's own words stand in brackets.
pub fn cannot(deed: Deed, path: &str, cause: &Error) -> String {
    format!("{deed} `{path}` (hệ thống báo: {cause}). {}", advice(cause.kind()))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only these have an answer of their own")]
fn advice(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => format!(
            "Tài khoản đang chạy lệnh này không có quyền ở đó, hoặc đĩa chỉ cho đọc. Hãy chạy lệnh bằng tài khoản của đài: \
             `sudo -u loa loa …`. Nếu vẫn vậy: với thư mục của đài, hãy trả lại quyền bằng {GIVE_BACK}; với ổ USB, hãy gắn lại \
             sao cho tài khoản `loa` ghi được."
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Đĩa đã đầy. Hãy xóa bớt tệp không cần trên đĩa ấy (đừng xóa gì trong `data` và `audio` của đài), hoặc chọn một ổ \
             khác, rồi chạy lại đúng lệnh này."
                .to_owned()
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "Hãy gắn ổ USB hay ổ đĩa ấy nếu chưa gắn, kiểm tra lại đường dẫn, rồi chạy lại lệnh này.".to_owned()
        }
        _ => "Hãy kiểm tra ổ đĩa ấy rồi chạy lại lệnh này.".to_owned(),
    }
}

/// The file of a recording that is to air cannot be read.
pub fn file_unreadable(file: &str, title: &str, first: &Zoned) -> String {
    format!(
        "Không đọc được tệp `{file}` của bản ghi “{title}” trong thư mục `audio`, dù tệp vẫn ở đó: sai quyền, hoặc đĩa lỗi. Nếu \
         tài khoản của đài cũng không đọc được, bản ghi này sẽ không phát được, lần đầu lúc {}. Hãy chạy lệnh bằng `sudo -u loa \
         loa …`; nếu vẫn vậy, trả lại quyền cho đài bằng {GIVE_BACK}, rồi kiểm tra ổ đĩa.",
        first.strftime("%H:%M ngày %d/%m")
    )
}

/// A recording's file cannot be read.
pub fn recording_unreadable(file: &str, title: &str) -> String {
    format!(
        "Không đọc được tệp `{file}` của bản ghi “{title}”, dù tệp vẫn ở đó: sai quyền, hoặc đĩa lỗi. Hãy chạy lệnh bằng `sudo -u \
         loa loa …`; nếu vẫn vậy, trả lại quyền cho đài bằng {GIVE_BACK}."
    )
}
