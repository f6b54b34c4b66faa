//! The program `loa`.
fn main() {}
