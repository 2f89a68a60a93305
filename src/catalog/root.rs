//! The watched folders, as the catalog numbers them.

/// Which watched folder a file belongs to. Their order is that in which their files are processed (`daemon::plan`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// `query/`
    Query,
    /// `db/img_inventory_raw/`
    Inventory,
    /// `db/img_train_raw/`
    Training,
}

impl Root {
    /// All three, the one with the highest priority first.
    pub const ALL: [Self; 3] = [Self::Query, Self::Inventory, Self::Training];

    pub(super) fn number(self) -> i64 {
        match self {
            Self::Query => 0,
            Self::Inventory => 1,
            Self::Training => 2,
        }
    }

    /// The name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Inventory => "inventory",
            Self::Training => "training",
        }
    }
}
