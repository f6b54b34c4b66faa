//! `user` and `devices`.

use std::sync::Arc;

use super::{print, say};
use crate::app::cli::{Format, UserCommand};
use crate::app::exit::Exit;
use crate::app::station::Station;
use crate::clock::Clock;
use crate::output::device;
use crate::segment::is_id;
use crate::store::{Act, LINK_DAYS, Link, Store, StoreError};
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
            let mut table = Table::new(console::USER_COLUMNS);
            for user in &users {
                let roles: Vec<_> = user.roles.iter().map(ToString::to_string).collect();
                let revoked = user.revoked.map(|at| at.to_string()).unwrap_or_default();
                table.row([user.name.clone(), roles.join(", "), user.created.to_string(), revoked]);
            }
            print(format.format, &table, &users)?;
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
    Ok(Exit::Fine)
}
