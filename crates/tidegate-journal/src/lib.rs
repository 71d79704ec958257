//! tidegate-journal
