//! The console: pages in Vietnamese for people with another job, on a phone or an old computer.
//!
//! Rendered here and complete without a script; the script in `assets/script` only makes them livelier. What pages say is in
//! `text::page`, what they look like in `assets/style`. Pages know no engine and no SQL of their own: they ask and
//! change the station through the same ways as `/api/v1`.
//!
//! Whoever is not signed in gets to [`signin`] and nowhere else. Everything that changes something is a form of ours:
//! it bears a key that only our pages know ([`form`]).

mod acts;
mod air;
mod assets;
mod calendar;
mod clock;
mod export;
mod form;
mod home;
mod in_force;
mod known;
mod log;
mod page;
mod people;
mod recordings;
mod rehearsal;
mod rundown;
mod signin;
mod to_do;
mod unsent;
mod visitor;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::{State, in_time};

/// The longest form, with what is kept of it through signing in: a long script, each letter of which may be sent as nine.
const KEPT_BYTES: usize = 512 * 1024;

/// The pages.
pub(super) fn router() -> Router<State> {
    Router::new()
        .route("/", get(home::home))
        .route("/dang-nhap", get(signin::ask).post(signin::enter).layer(DefaultBodyLimit::max(KEPT_BYTES)))
        .route("/dang-xuat", post(signin::leave))
        .route("/bat-dau/{link}", get(signin::ask_new).post(signin::set))
        .route("/phat-ngay", get(air::choose).post(air::take))
        .route("/phat-ngay/xac-nhan", get(air::ask))
        .route("/phat-ngay/tra-song", post(in_force::call_off))
        .route("/phat-ngay/dung", post(air::stop))
        .merge(calendar::router())
        .route(clock::HERE, get(clock::ask))
        .route(clock::CONFIRM, post(clock::confirm))
        .route("/nhat-ky", get(log::day))
        .route("/nhat-ky/in", get(log::sheet))
        .route("/nhat-ky/thao-tac", get(acts::list))
        .route("/nguoi-dung", get(people::list).post(people::add))
        .route("/nguoi-dung/{name}", get(people::one))
        .route("/nguoi-dung/{name}/vai-tro", post(people::roles))
        .route("/nguoi-dung/{name}/lien-ket", post(people::link))
        .route("/nguoi-dung/{name}/ma", post(people::token))
        .route("/nguoi-dung/{name}/thu-hoi", get(people::ask_end_all).post(people::end_all))
        .route("/nguoi-dung/{name}/thoi-viec", get(people::ask_revoke).post(people::revoke))
        .merge(recordings::router())
        .route_layer(from_fn(in_time))
        .merge(rehearsal::router())
        // These take as long as the log is.
        .route("/nhat-ky/tai-ve", get(export::export))
        .route("/nhat-ky/kiem-tra", post(log::verify))
        .merge(recordings::slow())
        .route("/assets/{name}", get(assets::asset))
}

pub(super) use page::for_people;
