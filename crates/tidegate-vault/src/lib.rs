//! tidegate-vault
