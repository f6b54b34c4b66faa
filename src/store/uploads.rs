//! Files on their way in: what they will be, and for some days what became of them.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::error::Doing as _;
use super::segments::instant_at;
use super::{Store, StoreError};
use crate::segment::SegmentId;

/// How long a file may take to come whole, and its verdict is kept: over a weekend without a network.
pub const UPLOAD_LIFE: SignedDuration = SignedDuration::from_hours(4 * 24);

/// A file that is coming, or came.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Its name in addresses, and of the file in which its bytes wait.
    pub id: String,
    /// Who sends it.
    pub person: String,
    /// From where they announced it: an address, for the record of acts.
    pub origin: String,
    /// What their device calls it.
    pub name: String,
    /// How many bytes there will be.
    pub bytes: u64,
    /// What was said of it, as the tus protocol has it: keys, each with a value in base64.
    pub metadata: String,
    /// When it was announced.
    pub created: Timestamp,
    /// What became of it; none until it was examined.
    pub verdict: Option<Verdict>,
}

/// What became of a file that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is a recording now; with what is to be said of it.
    New(SegmentId, String),
    /// It was there already.
    Known(SegmentId, String),
    /// It cannot air, with the reason in words.
    Refused(String),
}

impl Verdict {
    fn parts(&self) -> (&'static str, Option<&SegmentId>, &str) {
        match self {
            Self::New(segment, said) => ("new", Some(segment), said),
            Self::Known(segment, said) => ("known", Some(segment), said),
            Self::Refused(said) => ("refused", None, said),
        }
    }

    /// The recording, unless it was refused.
    pub fn segment(&self) -> Option<&SegmentId> {
        self.parts().1
    }

    /// The verdict in words.
    pub fn said(&self) -> &str {
        self.parts().2
    }

    /// Its code: `new`, `known`, `refused`.
    pub fn code(&self) -> &'static str {
        self.parts().0
    }
}

impl Upload {
    /// From when on it is gone.
    pub fn expires(&self) -> Timestamp {
        self.created.saturating_add(UPLOAD_LIFE).unwrap_or(Timestamp::MAX)
    }
}

const COLUMNS: &str = "id, person, name, bytes, metadata, created_ms, verdict, segment, said, origin";

fn upload_of(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let (verdict, segment, said): (Option<String>, Option<String>, Option<String>) =
        (row.get(6)?, row.get(7)?, row.get(8)?);
    let (segment, said) = (segment.map(SegmentId::new), said.unwrap_or_default());
    Ok(Upload {
        id: row.get(0)?,
        person: row.get(1)?,
        origin: row.get(9)?,
        name: row.get(2)?,
        bytes: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
        metadata: row.get(4)?,
        created: instant_at(row.get(5)?, 5)?,
        verdict: match (verdict.as_deref(), segment) {
            (Some("new"), Some(segment)) => Some(Verdict::New(segment, said)),
            (Some("known"), Some(segment)) => Some(Verdict::Known(segment, said)),
            (Some(_), _) => Some(Verdict::Refused(said)),
            (None, _) => None,
        },
    })
}

fn select(connection: &Connection, condition: &str, with: impl Params) -> Result<Vec<Upload>, StoreError> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM upload WHERE {condition} ORDER BY created_ms DESC, id"
        ))
        .and_then(|mut statement| statement.query_map(with, upload_of)?.collect())
        .doing("read the uploads")
}

impl Store {
    /// Announces a file, unless `fits` says of those still coming that it is one too many; whether it was.
    pub fn add_upload(
        &self,
        upload: Upload,
        fits: impl FnOnce(&[Upload]) -> bool + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.write("announce an upload", move |transaction| {
            if !fits(&select(transaction, "verdict IS NULL", [])?) {
                return Ok(false);
            }
            let (verdict, segment, said) = upload.verdict.as_ref().map_or((None, None, None), |verdict| {
                let (code, segment, said) = verdict.parts();
                (Some(code), segment.map(SegmentId::as_str), Some(said))
            });
            transaction
                .execute(
                    &format!(
                        "INSERT INTO upload ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
                    ),
                    params![
                        upload.id,
                        upload.person,
                        upload.name,
                        i64::try_from(upload.bytes).unwrap_or(i64::MAX),
                        upload.metadata,
                        upload.created.as_millisecond(),
                        verdict,
                        segment,
                        said,
                        upload.origin
                    ],
                )
                .doing("announce an upload")?;
            Ok(true)
        })
    }

    /// The upload with an id.
    pub fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM upload WHERE id = ?1"))
                .and_then(|mut statement| statement.query_row([id], upload_of).optional())
                .doing("read an upload")
        })
    }

    /// A person's uploads, newest first.
    pub fn uploads_of(&self, person: &str) -> Result<Vec<Upload>, StoreError> {
        self.read(|connection| select(connection, "person = ?1", [person]))
    }

    /// Those that nothing has become of yet, newest first.
    pub fn unjudged_uploads(&self) -> Result<Vec<Upload>, StoreError> {
        self.read(|connection| select(connection, "verdict IS NULL", []))
    }

    /// Says something else of a file that is still coming.
    pub fn describe_upload(&self, id: &str, metadata: String) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("describe an upload", move |transaction| {
            transaction
                .execute(
                    "UPDATE upload SET metadata = ?2 WHERE id = ?1 AND verdict IS NULL",
                    params![id, metadata],
                )
                .doing("describe an upload")?;
            Ok(())
        })
    }

    /// Notes that an upload is being examined, until [`Store::survived`]; the how manyth time it is.
    pub fn try_upload(&self, id: &str) -> Result<u32, StoreError> {
        let id = id.to_owned();
        self.write("begin an examination", move |transaction| {
            transaction
                .query_row("UPDATE upload SET tries = tries + 1 WHERE id = ?1 RETURNING tries", [id], |row| {
                    row.get(0)
                })
                .doing("begin an examination")
        })
    }

    /// Notes that the program is still there after it examined an upload, though there is no verdict.
    pub fn survived(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("put an examination off", move |transaction| {
            transaction
                .execute("UPDATE upload SET tries = 0 WHERE id = ?1", [id])
                .doing("put an examination off")?;
            Ok(())
        })
    }

    /// Keeps what became of an upload.
    pub fn judge_upload(&self, id: &str, verdict: Verdict) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("keep what became of an upload", move |transaction| {
            let (code, segment, said) = verdict.parts();
            transaction
                .execute(
                    "UPDATE upload SET verdict = ?2, segment = ?3, said = ?4 WHERE id = ?1",
                    params![id, code, segment.map(SegmentId::as_str), said],
                )
                .doing("keep what became of an upload")?;
            Ok(())
        })
    }

    /// Forgets an upload.
    pub fn forget_upload(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write("forget an upload", move |transaction| {
            transaction.execute("DELETE FROM upload WHERE id = ?1", [id]).doing("forget an upload")?;
            Ok(())
        })
    }

    /// Forgets the uploads whose time is over.
    pub fn forget_old_uploads(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = now.saturating_sub(UPLOAD_LIFE).unwrap_or(Timestamp::MIN);
        self.write("forget old uploads", move |transaction| {
            transaction
                .execute("DELETE FROM upload WHERE created_ms < ?1", [before.as_millisecond()])
                .doing("forget old uploads")?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, store};
    use super::*;

    fn upload(id: &str, created: i64) -> Upload {
        Upload {
            id: id.to_owned(),
            person: "lan".to_owned(),
            origin: "192.0.2.7".to_owned(),
            name: "ghi âm.m4a".to_owned(),
            bytes: 60_000_000,
            metadata: "programme YmFuLXRpbg==".to_owned(),
            created: at(created),
            verdict: None,
        }
    }

    #[test]
    fn an_upload_comes_back_with_what_became_of_it() {
        let (store, _dir) = store();
        assert!(store.add_upload(upload("a", 1), <[_]>::is_empty).unwrap());
        assert!(!store.add_upload(upload("b", 2), <[_]>::is_empty).unwrap(), "one is still coming");
        assert_eq!(store.upload("a").unwrap(), Some(upload("a", 1)));
        for verdict in [
            Verdict::Refused("im lặng".to_owned()),
            Verdict::Known("0123".into(), String::new()),
            Verdict::New("0123".into(), "đã nhận".to_owned()),
        ] {
            store.judge_upload("a", verdict.clone()).unwrap();
            assert_eq!(store.uploads_of("lan").unwrap()[0].verdict, Some(verdict));
        }
        assert!(store.add_upload(upload("b", 2), <[_]>::is_empty).unwrap(), "nothing is coming");
        assert_eq!(store.unjudged_uploads().unwrap(), [upload("b", 2)]);
        assert_eq!([store.try_upload("b").unwrap(), store.try_upload("b").unwrap()], [1, 2]);
        store.survived("b").unwrap();
        assert_eq!(store.try_upload("b").unwrap(), 1);
        store.forget_upload("b").unwrap();
        assert_eq!(store.uploads_of("minh").unwrap(), []);
        store.forget_old_uploads(upload("a", 1).expires()).unwrap();
        assert!(store.upload("a").unwrap().is_some(), "to the last moment");
        store.forget_old_uploads(upload("a", 1).expires() + SignedDuration::from_millis(1)).unwrap();
        assert_eq!(store.uploads_of("lan").unwrap(), []);
    }
}
