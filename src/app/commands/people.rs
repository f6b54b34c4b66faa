//! `user` and `devices`.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{print, say};
use crate::app::cli::{Format, Shape, UserCommand};
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::clock::Clock;
use crate::output::device;
use crate::segment::is_id;
use crate::store::{Act, LINK_DAYS, Link, Store, StoreError, User};
use crate::text::console;
use crate::text::page::signin;
use crate::text::table::Table;

/// What the record of acts says of where these came from.
pub(super) const ORIGIN: &str = "command line";

/// Makes, lists or revokes people's tokens.
pub fn user(station: &Station, clock: &Arc<dyn Clock>, command: &UserCommand) -> anyhow::Result<Exit> {
    let store = match command {
        // Only who comes to a station makes its database, and nobody of a name that cannot be.
        UserCommand::Add { name, .. } if !is_id(name) => {
            return Err(StoreError::BadUserName(name.clone()).into());
        }
        UserCommand::Add { .. } => Store::open(&station.data())?,
        UserCommand::List(_) | UserCommand::Link { .. } | UserCommand::Revoke { .. } => {
            Store::open_existing(&station.data())?
        }
    };
    let now = clock.now();
    let act = |what: &str, subject: &str| Act {
        at: now,
        by: "console".to_owned(),
        what: what.to_owned(),
        subject: subject.to_owned(),
        title: None,
        origin: ORIGIN.to_owned(),
    };
    match command {
        UserCommand::Add { name, role } => {
            let (whose, roles, act) = (name.clone(), role.iter().copied().collect(), act("user.add", name));
            let secret = store.with_people("add a user", move |people| {
                people.add_user(&whose, &roles, now)?;
                people.act(&act)?;
                people.new_token(&whose, ORIGIN, now)
            })?;
            say(&console::token(name, &secret.to_string()))?;
        }
        UserCommand::List(format) => {
            let users = store.users()?;
            let schedule = station.known_schedule();
            let zone = schedule.map_or(TimeZone::UTC, |schedule| schedule.time_zone);
            print(format.format, &table_of(&users, &zone), &users)?;
        }
        UserCommand::Link { name, at } => {
            let (whose, act) = (Link::For(name.clone()), act("user.link", name));
            let secret = store.with_people("make a link", move |people| {
                people.act(&act)?;
                people.new_link(whose, now)
            })?;
            say(&signin::link(name, &format!("{at}/bat-dau/{secret}"), LINK_DAYS))?;
        }
        UserCommand::Revoke { name } => {
            let (whose, act) = (name.clone(), act("user.revoke", name));
            store.with_people("revoke a user", move |people| {
                people.revoke(&whose, now)?;
                people.act(&act)
            })?;
            say(&console::revoked(name))?;
        }
    }
    Ok(Exit::Fine)
}

/// People, in the local time of their station.
fn table_of(users: &[User], zone: &TimeZone) -> Table {
    let mut table = Table::new(console::USER_COLUMNS);
    let local = |at: Timestamp| console::clock_time(&at.to_zoned(zone.clone()));
    for user in users {
        let roles: Vec<_> = user.roles.iter().map(ToString::to_string).collect();
        let revoked = user.revoked.map(local).unwrap_or_default();
        table.row([user.name.clone(), roles.join(", "), local(user.created), revoked]);
    }
    table
}

/// Lists the outputs by the names that `device` takes.
pub fn devices(format: Format) -> anyhow::Result<Exit> {
    let devices = device::devices();
    let mut table = Table::new(console::DEVICE_COLUMNS);
    for device in &devices {
        let default = if device.is_default { console::YES } else { "" };
        let usable = if device.formats.is_empty() { "" } else { console::YES };
        table.row([device.id.as_str(), device.name.as_str(), usable, default]);
    }
    print(format.format, &table, &devices)?;
    if let Some(remark) = without_sound(format.format, device::has_sound()) {
        say(remark)?;
    }
    Ok(Exit::Fine)
}

/// What people are told of a list of names behind which nothing sounds: ALSA has some of its own on every machine.
fn without_sound(shape: Shape, has_sound: bool) -> Option<&'static str> {
    (shape == Shape::Table && !has_sound).then_some(console::NO_CARD)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_list_of_devices_without_a_card_says_so_to_people() {
        assert!(without_sound(Shape::Table, false).unwrap().contains("không có cạc âm thanh"));
        let none = [without_sound(Shape::Table, true), without_sound(Shape::Json, false)];
        assert_eq!(none, [None, None]);
    }

    #[test]
    fn people_are_listed_in_the_stations_time() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let user = User {
            name: "lan".to_owned(),
            roles: BTreeSet::new(),
            created: at("2026-11-22T22:30:05Z"),
            revoked: Some(at("2026-11-23T17:00:00Z")),
        };
        let mut text = Vec::new();
        table_of(&[user], &TimeZone::get("Asia/Ho_Chi_Minh").unwrap()).print(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("05:30 ngày 23/11/2026") && text.contains("00:00 ngày 24/11/2026"), "{text}");
    }
}
