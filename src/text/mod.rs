//! Every Vietnamese sentence of the program, in one place.
//!
//! One file for each kind of thing it speaks of. Rooms hand over data; here it becomes words for people: what
//! happened, what it means for the air, what to do.

pub mod arguments;
pub mod console;
pub mod disk;
pub mod finding;
pub mod http;
pub mod keep;
pub mod order;
pub mod outcome;
pub mod page;
pub mod problem;
pub mod table;
pub mod verdict;
pub mod workbook;
