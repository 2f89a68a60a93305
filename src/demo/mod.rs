//! A picture store of the program's own drawing, to try everything on.
//!
//! Layers, each knowing only those before it: `colour` and `shape` know of no picture; `canvas`, `solid` and
//! `texture` draw on a table seen under a lamp; `dish`, `ingredients`, `background` and `extras` draw things; one module
//! per kind of food serves it (`pizza` with `toppings`, `sushi` with `rolls`); `scene` makes a picture of it all;
//! `store` writes files.

mod background;
mod burger;
mod canvas;
mod colour;
mod dish;
mod doughnut;
mod egg;
mod extras;
mod finish;
mod ingredients;
mod pizza;
mod rolls;
mod salad;
mod scene;
mod shape;
mod solid;
mod store;
mod sushi;
mod texture;
mod toppings;

use crate::random;

pub use scene::draw;
pub use store::{draw_queries, draw_store};

/// The kinds of food in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something between the halves of a bun.
    Burger,
    /// Flat dough with cheese and toppings.
    Pizza,
    /// Leaves and what is mixed among them.
    Salad,
    /// Rice with fish or in seaweed.
    Sushi,
    /// A ring of dough under icing.
    Doughnut,
    /// Fried eggs.
    Egg,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Burger, Self::Pizza, Self::Salad, Self::Sushi, Self::Doughnut, Self::Egg];

    /// The word that names of its pictures begin with: its label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Burger => "burger",
            Self::Pizza => "pizza",
            Self::Salad => "salad",
            Self::Sushi => "sushi",
            Self::Doughnut => "doughnut",
            Self::Egg => "egg",
        }
    }
}
