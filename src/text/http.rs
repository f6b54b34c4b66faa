//! What HTTP answers when something is not done: what happened, what it means for the air, what to do.

use super::disk::GIVE_BACK;
use crate::access::Permission;
use crate::media::ingest;
use crate::segment::{BadWord, LONGEST_TEXT, State};
use crate::store::StoreError;

/// Why a field's value is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is none, and there must be.
    Missing,
    /// It has more letters than this.
    TooLong(usize),
    /// It has signs that nobody sees, as a line's end where there is one line.
    Unseen,
    /// It is no date.
    NoDate,
    /// It is none of those to choose from.
    NoChoice,
    /// The schedule does not know the programme.
    UnknownProgramme,
    /// The last day is before the first.
    EndsBeforeItBegins,
    /// The last day is past.
    IsOver,
    /// There is no such field.
    NoSuchField,
}

impl From<BadWord> for Why {
    fn from(bad: BadWord) -> Self {
        match bad {
            BadWord::TooLong => Self::TooLong(LONGEST_TEXT),
            BadWord::Unseen => Self::Unseen,
            BadWord::NoTopic => Self::NoChoice,
            BadWord::EndsBeforeItBegins => Self::EndsBeforeItBegins,
            BadWord::IsOver => Self::IsOver,
        }
    }
}

impl Why {
    /// What is wrong, and what to do.
    pub fn said(self) -> String {
        match self {
            Self::Missing => "Ô này không được để trống. Hãy điền vào.".to_owned(),
            Self::TooLong(most) => format!("Dài quá {most} ký tự. Hãy rút ngắn lại."),
            Self::Unseen => "Có ký tự không nhìn thấy được, như dấu xuống dòng hay dấu tab. Hãy xóa đi và gõ lại bằng tay.".to_owned(),
            Self::NoDate => "Không phải là một ngày có trong lịch. Hãy chọn lại ngày.".to_owned(),
            Self::NoChoice => "Không phải là một trong các giá trị để chọn. Hãy chọn lại.".to_owned(),
            Self::UnknownProgramme => "Lịch của đài không có chuyên mục này, nên bản ghi sẽ không bao giờ được chọn. Hãy chọn một chuyên mục có trong lịch.".to_owned(),
            Self::EndsBeforeItBegins => format!(
                "Ngày này trước “{}”, nên không ngày nào phát được. Hãy đổi lại hai ngày.",
                super::page::recordings::one::VALID_FROM
            ),
            Self::IsOver => "Ngày này đã qua, nên không ngày nào phát được nữa. Hãy chọn lại ngày.".to_owned(),
            Self::NoSuchField => "Không có ô nào tên như vậy. Hãy bỏ đi.".to_owned(),
        }
    }
}

/// Why a request was not done.
#[derive(Debug)]
pub enum Refusal {
    /// It bears no token.
    NoToken,
    /// Its token is none, or no longer.
    WrongToken,
    /// It comes with a browser's login, but not from a page of ours.
    Forged,
    /// The person may not.
    NotPermitted(Permission),
    /// The person would approve their own work.
    OwnWork,
    /// The words of an approved recording are the approver's to change.
    ApprovedWords,
    /// There is nothing under the address.
    NoRoute,
    /// There is no page under the address.
    NoPage,
    /// The address does not know the method.
    WrongMethod,
    /// The address takes only what a page of ours sends.
    OnlyFromAPage,
    /// There is no such segment.
    NoSegment,
    /// The segment's file is gone, or is not what was approved.
    FileGone,
    /// The segment's file is there and cannot be read.
    FileUnreadable,
    /// The segment's file is not the one that was handed in.
    FileChanged,
    /// The segment's file has no such range.
    NoSuchRange,
    /// No such interrupt was ever ordered.
    NoInterrupt,
    /// There is no such output.
    NoOutput,
    /// There is no such person.
    NoUser,
    /// The person's name is taken.
    UserExists,
    /// The person's name is none.
    BadUserName,
    /// A person without a role could do nothing.
    NoRole,
    /// The last one who may manage users would go.
    LastAdmin,
    /// The segment may not air: it is not approved.
    NotApproved(State),
    /// The segment may not air on this day.
    NotValid,
    /// The segment cannot take the step from where it stands.
    WrongState(State),
    /// The approval was meant for other bytes.
    OtherBytes,
    /// The change was meant for other words.
    OtherWords,
    /// The approval was.
    OtherWordsToApprove,
    /// The segment is off the air, and the disk does not take that yet.
    WithdrawalUnkept,
    /// A live interrupt in quiet hours.
    QuietHours,
    /// The schedule cannot be stopped where a person has the air.
    HasTheAir,
    /// What is to be stopped is not on the air any more.
    NotOnAir,
    /// The schedule's files have problems: they are mended by hand, or an older state is put back.
    ScheduleBroken,
    /// What is to be changed is not in the schedule.
    NotInSchedule,
    /// The schedule's file is written in a way that only a person can change.
    ScheduleByHand,
    /// The schedule's files cannot be written.
    ScheduleNotWritten,
    /// The request's body or address cannot be read.
    Malformed {
        /// What a program says of it.
        said: String,
    },
    /// The body is of another type than this address takes.
    WrongType,
    /// A field of the request has a value it cannot have.
    BadField {
        /// Its name.
        field: String,
    },
    /// Words that are not taken: each field, with why.
    BadWords(Vec<(String, Why)>),
    /// A stretch of days ends before it begins.
    EndsBeforeItBegins,
    /// A stretch of days is longer than a year.
    MoreThanAYear,
    /// An upload without a file.
    NoFile,
    /// An upload that stopped.
    Interrupted,
    /// A body larger than is taken.
    TooLarge {
        /// The most, in bytes.
        most: u64,
    },
    /// A form with more than is taken.
    FormTooLarge,
    /// The recording cannot air.
    Recording(ingest::Refusal),
    /// Too many uploads at once.
    TooManyUploads,
    /// Too many uploads that have not come whole.
    TooManyWaiting,
    /// Too much of what others sent has not come whole.
    OthersWaiting,
    /// There is no such upload, or it is somebody else's.
    NoUpload,
    /// The upload's time is over.
    UploadExpired,
    /// The bytes do not go on where the upload is.
    WrongOffset,
    /// Another version of the protocol for uploads.
    WrongTusVersion,
    /// Too many listeners for events.
    TooManyListeners,
    /// The store has too much to do.
    Busy,
    /// An engine has too much to do.
    EngineBusy,
    /// An engine has ended.
    EngineGone,
    /// It took too long.
    TooSlow,
    /// Something that should not happen, under this number in the log.
    Unexpected {
        /// The number to quote.
        number: String,
    },
}

impl Refusal {
    /// What a person is told of a failure of the store that is theirs to mend; none of what is a technician's.
    pub fn of_store(failure: &StoreError) -> Option<Self> {
        match failure {
            StoreError::NoSegment(_) => Some(Self::NoSegment),
            StoreError::WrongState { state, .. } => Some(Self::WrongState(*state)),
            StoreError::OtherBytes(_) => Some(Self::OtherBytes),
            StoreError::OtherWords(_) => Some(Self::OtherWordsToApprove),
            StoreError::NoUser(_) => Some(Self::NoUser),
            StoreError::UserExists(_) => Some(Self::UserExists),
            StoreError::BadUserName(_) => Some(Self::BadUserName),
            StoreError::LastAdmin(_) => Some(Self::LastAdmin),
            StoreError::Busy => Some(Self::Busy),
            StoreError::File { .. }
            | StoreError::Open { .. }
            | StoreError::Absent { .. }
            | StoreError::Lost { .. }
            | StoreError::Damaged { .. }
            | StoreError::Newer { .. }
            | StoreError::Migrate { .. }
            | StoreError::Query { .. }
            | StoreError::Value { .. }
            | StoreError::Stopped
            | StoreError::Random(_)
            | StoreError::FileTaken(_) => None,
        }
    }

    /// A few words.
    pub fn title(&self) -> &'static str {
        match self {
            Self::NoToken | Self::WrongToken => "Cần đăng nhập",
            Self::Forged => "Trang đã cũ",
            Self::NotPermitted(_) | Self::OwnWork | Self::ApprovedWords => "Không có quyền",
            Self::NoPage => super::page::NO_SUCH_PAGE,
            Self::NoRoute | Self::WrongMethod => "Địa chỉ không đúng",
            Self::OnlyFromAPage => "Không mở thẳng được",
            Self::NoSegment => "Không có bản ghi này",
            Self::FileGone | Self::FileUnreadable | Self::FileChanged => "Không dùng được tệp âm thanh",
            Self::NoSuchRange => "Không có đoạn này",
            Self::NoInterrupt => "Không có lệnh phát này",
            Self::NoOutput => "Không có đường ra này",
            Self::NoUser => "Không có người dùng này",
            Self::UserExists | Self::BadUserName | Self::NoRole => "Không thêm được người dùng",
            Self::LastAdmin => "Không bỏ được người quản trị cuối cùng",
            Self::NotApproved(_) | Self::NotValid | Self::QuietHours => "Không được phép phát",
            Self::WithdrawalUnkept => "Chưa ghi được việc thu hồi",
            Self::HasTheAir => "Đang phát ngay",
            Self::NotOnAir => "Không còn đang phát",
            Self::ScheduleBroken | Self::ScheduleByHand | Self::ScheduleNotWritten => "Chưa sửa được lịch",
            Self::NotInSchedule => "Không còn trong lịch",
            Self::WrongState(_) | Self::OtherBytes | Self::OtherWords | Self::OtherWordsToApprove => {
                "Không thực hiện được"
            }
            Self::Malformed { .. }
            | Self::WrongType
            | Self::BadField { .. }
            | Self::BadWords(_)
            | Self::EndsBeforeItBegins
            | Self::MoreThanAYear
            | Self::NoFile => "Yêu cầu không hợp lệ",
            Self::Interrupted => "Gửi bị ngắt",
            Self::NoUpload | Self::UploadExpired => "Không còn lần gửi này",
            Self::WrongOffset | Self::WrongTusVersion => "Không gửi tiếp được",
            Self::TooManyWaiting | Self::OthersWaiting => "Còn quá nhiều tệp gửi dở",
            Self::TooLarge { .. } => "Tệp quá lớn",
            Self::FormTooLarge => "Nội dung quá dài",
            Self::Recording(_) => "Không nhận bản ghi",
            Self::TooManyUploads | Self::TooManyListeners | Self::Busy | Self::EngineBusy => "Máy đang bận",
            Self::EngineGone => "Bộ phát đã dừng",
            Self::TooSlow => "Xử lý quá lâu",
            Self::Unexpected { .. } => "Lỗi của chương trình",
        }
    }

    /// Full sentences.
    pub fn detail(&self) -> String {
        match self {
            Self::NoToken => "Yêu cầu chưa kèm mã truy cập, nên chưa được làm. Lịch phát không bị ảnh hưởng. Hãy gửi mã của bạn trong tiêu đề Authorization: Bearer loa_…; chưa có mã thì xin người quản trị.".to_owned(),
            Self::WrongToken => "Mã truy cập không đúng hoặc đã bị thu hồi, nên yêu cầu chưa được làm. Lịch phát không bị ảnh hưởng. Hãy xin người quản trị cấp mã mới.".to_owned(),
            Self::NotPermitted(permission) => format!(
                "Tài khoản của bạn không có quyền {}. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Nếu cần, hãy nhờ người quản trị cấp thêm vai trò.",
                permission_name(*permission)
            ),
            Self::Forged => "Trang này đã cũ, hoặc yêu cầu không đến từ trang của đài. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy quay lại, tải lại trang rồi làm lại.".to_owned(),
            Self::ApprovedWords => "Bản ghi này đã được duyệt, nên thông tin của nó chỉ người duyệt mới được sửa. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy nhờ người duyệt sửa, hoặc nộp một bản ghi mới.".to_owned(),
            Self::OwnWork => "Bạn không được tự duyệt bản ghi do chính mình nộp. Bản ghi vẫn chờ duyệt và chưa được phát. Hãy nhờ một người duyệt khác.".to_owned(),
            Self::NoPage => "Địa chỉ này không có trang nào. Lịch phát không bị ảnh hưởng. Hãy về trang Hôm nay rồi chọn lại.".to_owned(),
            Self::NoRoute => "Không có gì ở địa chỉ này. Lịch phát không bị ảnh hưởng. Hãy xem các địa chỉ có trong /api/v1/openapi.json.".to_owned(),
            Self::WrongMethod => "Địa chỉ này không nhận phương thức vừa dùng. Lịch phát không bị ảnh hưởng. Hãy xem các phương thức có trong /api/v1/openapi.json.".to_owned(),
            Self::OnlyFromAPage => "Địa chỉ này chỉ nhận biểu mẫu gửi từ một trang, nên không mở thẳng được. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy mở trang đó rồi bấm nút ở đó.".to_owned(),
            Self::NoSegment => "Không tìm thấy bản ghi có mã này. Lịch phát không bị ảnh hưởng. Hãy kiểm tra lại mã trong danh sách bản ghi.".to_owned(),
            Self::FileGone => "Bản ghi có trong danh mục nhưng tệp âm thanh không còn trên máy hoặc đã khác với tệp được duyệt, nên không phát được. Hãy nộp lại đúng tệp đó hoặc chép lại từ bản sao lưu; nếu không còn, hãy chọn bản ghi khác.".to_owned(),
            Self::FileUnreadable => format!("Tệp âm thanh của bản ghi vẫn ở trên máy nhưng chương trình không đọc được, nên bản ghi không phát được: sai quyền, hoặc đĩa lỗi. Chưa có gì thay đổi. Hãy nhờ kỹ thuật viên trả lại quyền cho tài khoản của đài bằng {GIVE_BACK}, rồi làm lại."),
            Self::FileChanged => "Tệp âm thanh trên máy đã khác với tệp được nộp, nên bản ghi không phát được. Chưa có gì thay đổi. Hãy nộp lại đúng tệp đó hoặc chép lại từ bản sao lưu, rồi làm lại. Nếu tệp đang có trên máy mới là tệp cần phát, hãy nộp tệp ấy thành bản ghi mới.".to_owned(),
            Self::NoSuchRange => "Tệp âm thanh ngắn hơn đoạn vừa hỏi. Lịch phát không bị ảnh hưởng. Hãy hỏi một đoạn nằm trong tệp, hoặc tải cả tệp.".to_owned(),
            Self::NoInterrupt => "Chưa từng có lệnh phát nào với mã này. Lịch phát không thay đổi. Hãy mở lại trang để xem loa đang phát gì.".to_owned(),
            Self::NoOutput => "Đài không có đường ra với mã này, nên chưa có gì thay đổi trên loa. Hãy xem các đường ra trong trạng thái của đài.".to_owned(),
            Self::NoUser => "Không có người dùng nào mang tên này, hoặc tài khoản đó đã ngừng. Lịch phát không bị ảnh hưởng. Hãy xem lại danh sách người dùng.".to_owned(),
            Self::UserExists => "Tên này đã có người dùng, hoặc thuộc về một tài khoản đã ngừng mà nhật ký còn ghi; chữ hoa và chữ thường được coi là một. Chưa thêm ai, lịch phát không bị ảnh hưởng. Hãy chọn tên khác.".to_owned(),
            Self::BadUserName => "Tên người dùng chỉ gồm 1 đến 64 chữ cái không dấu, chữ số và các dấu - _ . và không bắt đầu bằng dấu chấm. Chưa thêm ai, lịch phát không bị ảnh hưởng. Hãy chọn tên khác.".to_owned(),
            Self::NoRole => "Người dùng cần ít nhất một vai trò: người biên soạn, người duyệt, người vận hành, người kiểm tra hoặc người quản trị. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy chọn vai trò.".to_owned(),
            Self::LastAdmin => "Đây là người quản trị cuối cùng; bỏ đi thì không còn ai quản lý được người dùng. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy thêm một người quản trị khác trước.".to_owned(),
            Self::NotApproved(state) => format!(
                "Bản ghi này đang ở trạng thái {}, nên không được phát. Chỉ bản ghi đã duyệt mới được lên loa. Hãy nhờ người duyệt duyệt trước, hoặc chọn bản ghi khác.",
                super::outcome::state(*state)
            ),
            Self::NotValid => "Bản ghi này không có hiệu lực trong ngày hôm nay, nên không được phát. Hãy sửa thời hạn của bản ghi nếu cần.".to_owned(),
            Self::WrongState(state) => format!(
                "Bản ghi đang ở trạng thái {}, nên không làm được việc này. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy mở lại bản ghi để xem trạng thái mới nhất.",
                super::outcome::state(*state)
            ),
            Self::OtherBytes => "Tệp âm thanh đã khác với tệp bạn vừa nghe. Bản ghi chưa được duyệt. Hãy nghe lại rồi duyệt.".to_owned(),
            Self::OtherWords => "Thông tin hoặc văn bản bài của bản ghi đã được sửa sau khi bạn mở trang này. Những gì bạn sửa chưa được lưu, lịch phát không bị ảnh hưởng. Hãy mở lại trang, xem những gì đã đổi rồi làm lại.".to_owned(),
            Self::OtherWordsToApprove => "Thông tin hoặc văn bản bài của bản ghi đã được sửa sau khi bạn mở trang này, nên bản ghi chưa được duyệt và chưa lên loa. Hãy mở lại trang, xem những gì đã đổi rồi duyệt.".to_owned(),
            Self::WithdrawalUnkept => "Loa đã ngừng phát bản ghi này, nhưng máy chưa ghi được việc thu hồi vào cơ sở dữ liệu và đang tự thử lại. Nếu máy khởi động lại trước khi ghi xong, bản ghi có thể lại được phát. Đừng tắt máy; hãy báo kỹ thuật viên kiểm tra đĩa, rồi mở lại trang bản ghi để xem đã thu hồi xong chưa.".to_owned(),
            Self::QuietHours => "Bây giờ là giờ yên lặng theo quy chế của đài, chỉ phát được bản tin khẩn cấp. Loa vẫn im lặng. Hãy chờ hết giờ yên lặng, hoặc phát khẩn cấp nếu thật sự cần.".to_owned(),
            Self::HasTheAir => "Loa đang phát một bản tin phát ngay hoặc khẩn cấp, không phải mục theo lịch, nên không có mục nào bị dừng. Nếu muốn dừng bản tin đó, hãy bấm “Trả lại sóng” ở trang Phát ngay.".to_owned(),
            Self::NotOnAir => "Mục cần dừng không còn phát: mục đó đã hết, đã được dừng, hoặc lúc này không có mục nào phát theo lịch. Không có gì bị dừng, lịch phát không thay đổi. Hãy mở lại trang Phát ngay để xem loa đang phát gì.".to_owned(),
            Self::ScheduleBroken => "Tệp lịch đang có lỗi, nên chưa sửa được ở đây. Lịch cũ vẫn được phát. Hãy xem các lỗi ở trang Lịch phát, rồi sửa trong tệp hoặc hoàn tác một lần sửa trong Lịch sử sửa lịch.".to_owned(),
            Self::NotInSchedule => "Lịch không có mục này; có thể ai đó vừa bỏ hoặc đổi nó. Chưa có gì thay đổi, lịch đang dùng vẫn được phát. Hãy mở lại trang Lịch phát.".to_owned(),
            Self::ScheduleByHand => "Tệp lịch được viết theo cách mà máy đọc được nhưng không tự sửa được. Lịch không thay đổi, lịch đang dùng vẫn được phát. Hãy nhờ kỹ thuật viên sửa thẳng trong tệp.".to_owned(),
            Self::ScheduleNotWritten => "Không ghi được tệp lịch. Lịch cũ vẫn được phát. Hãy báo kỹ thuật viên kiểm tra đĩa và quyền ghi vào thư mục schedule.".to_owned(),
            Self::Malformed { .. } => "Máy không đọc được yêu cầu. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy kiểm tra lại nội dung gửi lên.".to_owned(),
            Self::WrongType => "Kiểu nội dung gửi lên không đúng với địa chỉ này. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy gửi JSON (application/json), hoặc multipart/form-data khi gửi tệp.".to_owned(),
            Self::BadField { field } => format!(
                "Giá trị của ô “{}” không hợp lệ. Chưa có gì thay đổi, lịch phát không bị ảnh hưởng. Hãy sửa ô này rồi gửi lại.",
                field_name(field)
            ),
            Self::EndsBeforeItBegins => "“Từ ngày” sau “Đến hết ngày”, nên không có ngày nào để tải. Lịch phát không bị ảnh hưởng. Hãy đổi lại hai ngày.".to_owned(),
            Self::MoreThanAYear => "Mỗi lần tải được nhiều nhất một năm. Lịch phát không bị ảnh hưởng. Hãy chọn “Từ ngày” và “Đến hết ngày” gần nhau hơn.".to_owned(),
            Self::BadWords(words) => {
                let each = |(field, why): &(String, Why)| format!("“{}”: {}", field_name(field), why.said());
                format!("Chưa có gì được lưu, lịch phát không bị ảnh hưởng. {}", words.iter().map(each).collect::<Vec<_>>().join(" "))
            }
            Self::NoFile => "Chưa có tệp âm thanh nào được gửi, lịch phát không bị ảnh hưởng. Hãy chọn tệp rồi gửi lại.".to_owned(),
            Self::Interrupted => "Việc gửi tệp bị ngắt giữa chừng, chưa có gì được lưu, lịch phát không bị ảnh hưởng. Hãy kiểm tra mạng rồi gửi lại.".to_owned(),
            Self::TooLarge { most } => format!(
                "Nội dung gửi lên lớn hơn mức cho phép là {}. Chưa có gì được lưu, lịch phát không bị ảnh hưởng. Hãy xuất lại dưới dạng MP3 rồi gửi lại.",
                size(*most)
            ),
            Self::FormTooLarge => "Những gì đã gõ dài hơn mức máy nhận được. Chưa có gì được lưu, lịch phát không bị ảnh hưởng. Hãy quay lại, rút ngắn rồi gửi lại.".to_owned(),
            Self::Recording(refusal) => super::verdict::refusal(refusal),
            Self::TooManyWaiting => "Còn quá nhiều tệp gửi dở dang nên chưa nhận thêm. Lịch phát không bị ảnh hưởng. Hãy gửi xong hoặc bỏ các tệp đó rồi gửi lại.".to_owned(),
            Self::OthersWaiting => "Tệp của những người khác đang gửi hoặc gửi dở đã chiếm hết chỗ trên máy, nên chưa nhận thêm. Lịch phát không bị ảnh hưởng. Hãy gửi lại sau ít phút; nếu vẫn chưa được, hãy nhờ những người đó gửi xong hoặc bỏ các tệp gửi dở.".to_owned(),
            Self::NoUpload => "Không có lần gửi nào với mã này, hoặc tệp đã được bỏ. Lịch phát không bị ảnh hưởng. Hãy gửi lại tệp từ đầu.".to_owned(),
            Self::UploadExpired => "Lần gửi này đã quá hạn và phần đã gửi không còn. Lịch phát không bị ảnh hưởng. Hãy gửi lại tệp từ đầu.".to_owned(),
            Self::WrongOffset => "Phần gửi lên không nối tiếp với phần máy đã nhận. Phần đã nhận vẫn còn, lịch phát không bị ảnh hưởng. Hãy hỏi lại vị trí rồi gửi tiếp từ đó.".to_owned(),
            Self::WrongTusVersion => "Máy chỉ nhận tệp gửi theo giao thức tus 1.0.0 (tiêu đề Tus-Resumable). Chưa có gì được lưu, lịch phát không bị ảnh hưởng. Hãy dùng đúng phiên bản đó.".to_owned(),
            Self::TooManyUploads => "Đang có nhiều tệp được gửi cùng lúc. Lịch phát không bị ảnh hưởng. Hãy gửi lại sau ít giây.".to_owned(),
            Self::TooManyListeners => "Đang có quá nhiều màn hình theo dõi trực tiếp. Lịch phát không bị ảnh hưởng. Hãy đóng bớt rồi thử lại.".to_owned(),
            Self::Busy => "Máy đang xử lý nhiều việc cùng lúc. Lịch phát không bị ảnh hưởng. Hãy thử lại sau ít giây.".to_owned(),
            Self::EngineBusy => "Bộ phát chưa nhận được lệnh vì đang có nhiều lệnh khác. Loa vẫn phát như trước. Hãy gửi lệnh lại ngay.".to_owned(),
            Self::EngineGone => "Bộ phát của đường ra này đã dừng, lệnh không có tác dụng và loa không có tiếng. Hãy báo kỹ thuật viên khởi động lại chương trình.".to_owned(),
            Self::TooSlow => "Máy không trả lời kịp trong thời gian cho phép. Lịch phát không bị ảnh hưởng. Hãy thử lại; nếu vẫn lỗi, hãy báo kỹ thuật viên.".to_owned(),
            Self::Unexpected { number } => format!(
                "Chương trình gặp lỗi không lường trước. Lịch phát vẫn tiếp tục. Hãy báo kỹ thuật viên số lỗi {number}."
            ),
        }
    }
}

/// What a field is called where people fill it in; its code where only programs do.
fn field_name(field: &str) -> &str {
    use super::page::{air, log, recordings};
    match field {
        "from" => log::FROM,
        "to" => log::TO,
        "day" | "ngay" => log::DAY,
        "minutes" => air::MINUTES,
        "most" => air::AT_MOST,
        "rank" => air::RANK,
        "repeat" | "repeats" => air::HOW_OFTEN,
        "reason" => "Lý do",
        "cue" => "Mục đang phát",
        "hash" => "Tệp âm thanh đã nghe",
        "format" => "Kiểu tệp",
        other => recordings::one::field(other),
    }
}

/// What a permission lets one do.
pub fn permission_name(permission: Permission) -> &'static str {
    match permission {
        Permission::See => "xem bản ghi và lịch phát",
        Permission::HandIn => "nộp bản ghi",
        Permission::Approve => "duyệt bản ghi",
        Permission::Withdraw => "thu hồi bản ghi",
        Permission::TakeTheAir => "phát ngay hoặc dừng phát",
        Permission::CallEmergency => "phát khẩn cấp",
        Permission::EditSchedule => "sửa lịch phát",
        Permission::ConfirmClock => "xác nhận giờ của máy",
        Permission::ReadLog => "xem nhật ký phát thanh",
        Permission::ReadActs => "xem nhật ký thao tác",
        Permission::ManageUsers => "quản lý người dùng",
    }
}

/// A size for people.
fn size(bytes: u64) -> String {
    if bytes >= 1_000_000 {
        format!("{} MB", bytes / 1_000_000)
    } else {
        format!("{} kB", bytes.div_ceil(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every refusal; of those with a part, one.
    fn every() -> Vec<Refusal> {
        use Refusal as R;
        let (field, said, number) = ("title".to_owned(), String::new(), "0".to_owned());
        vec![
            R::NoToken,
            R::WrongToken,
            R::Forged,
            R::NotPermitted(Permission::Approve),
            R::OwnWork,
            R::ApprovedWords,
            R::NoRoute,
            R::NoPage,
            R::WrongMethod,
            R::OnlyFromAPage,
            R::NoSegment,
            R::FileGone,
            R::FileUnreadable,
            R::FileChanged,
            R::NoSuchRange,
            R::NoInterrupt,
            R::HasTheAir,
            R::NotOnAir,
            R::NoOutput,
            R::NoUser,
            R::UserExists,
            R::BadUserName,
            R::NoRole,
            R::LastAdmin,
            R::NotApproved(State::Draft),
            R::NotValid,
            R::WrongState(State::Draft),
            R::OtherBytes,
            R::OtherWords,
            R::OtherWordsToApprove,
            R::WithdrawalUnkept,
            R::QuietHours,
            R::ScheduleBroken,
            R::NotInSchedule,
            R::ScheduleByHand,
            R::ScheduleNotWritten,
            R::Malformed { said },
            R::WrongType,
            R::BadField { field: field.clone() },
            R::BadWords(vec![(field, Why::Missing)]),
            R::EndsBeforeItBegins,
            R::MoreThanAYear,
            R::NoFile,
            R::Interrupted,
            R::TooLarge { most: 64_000 },
            R::FormTooLarge,
            R::TooManyUploads,
            R::TooManyWaiting,
            R::OthersWaiting,
            R::NoUpload,
            R::UploadExpired,
            R::WrongOffset,
            R::WrongTusVersion,
            R::TooManyListeners,
            R::Busy,
            R::EngineBusy,
            R::EngineGone,
            R::TooSlow,
            R::Unexpected { number },
        ]
    }

    #[test]
    fn every_refusal_says_what_it_means_for_the_air_and_what_to_do() {
        // Of a file that is not taken, `verdict` says why; it is not on its way to the air yet.
        let air = [
            "lịch phát không bị ảnh hưởng",
            "Lịch phát",
            "được phát",
            "phát được",
            "chưa được duyệt",
            "loa",
            "Loa",
        ];
        let (_, variants) = include_str!("http.rs").split_once("pub enum Refusal {").unwrap();
        let (variants, _) = variants.split_once("\n}").unwrap();
        let is_variant =
            |line: &&str| line.strip_prefix("    ").is_some_and(|rest| rest.starts_with(char::is_uppercase));
        assert_eq!(every().len() + 1, variants.lines().filter(is_variant).count(), "all but `Recording`");
        for refusal in every() {
            let said = refusal.detail();
            assert!(air.iter().any(|word| said.contains(word)), "{refusal:?}: {said}");
            assert!(crate::access::Role::ALL.iter().all(|role| !said.contains(role.code())), "{said}");
            assert!(said.contains("Hãy ") || said.contains("hãy "), "{refusal:?}: {said}");
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        let said = Refusal::NotPermitted(Permission::Approve).detail();
        assert!(said.contains("quyền duyệt bản ghi") && said.contains("người quản trị"), "{said}");
    }

    #[test]
    fn a_wrong_field_is_called_as_on_its_form() {
        for (field, name) in
            [("to", "Đến hết ngày"), ("title", "Tên"), ("day", "Ngày"), ("Upload-Offset", "Upload-Offset")]
        {
            let said = Refusal::BadField { field: field.to_owned() }.detail();
            assert!(said.contains(&format!("ô “{name}”")), "{said}");
        }
    }

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        assert_eq!([size(64_000), size(2 << 30)], ["64 kB", "2147 MB"]);
    }
}
