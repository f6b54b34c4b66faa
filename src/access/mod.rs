//! Who may do what: users, roles and permissions, as values.
