//! The Git repository: layout, typed documents, snapshots, differences, writers.
