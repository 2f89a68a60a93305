//! Pictures of food, drawn from seeds: burgers, pizzas, salads, sushi, doughnuts and fried eggs on laid tables.
//!
//! They look enough like photographs for similarity search to be tried on them: two pictures of a kind differ in the
//! table, the dish, the light, the viewpoint and the ingredients, and share only what makes them that kind. Nothing
//! has to be downloaded, and every picture has a label. `artificio demo` fills its picture store with them, and the
//! program's tests take them for photographs.
//!
//! ```
//! use artificio_demo::{Food, draw};
//!
//! let burger = draw(Food::Burger, 1);
//! assert!(burger == draw(Food::Burger, 1), "the same seed draws the same picture");
//! assert!(burger != draw(Food::Burger, 2), "another seed another one");
//! ```
//!
//! Drawing is painting in layers, from the back to the front, on a canvas that knows a camera and a lamp; no rays are
//! traced. The modules are layers too, and each uses only those before it:
//!
//! - `shape`, `colour`, `placement` and `camera`;
//! - `canvas`, `solid` and `texture`, which draw on a table under a lamp;
//! - `ingredients`, `dish`, `background` and `extras`, which draw things;
//! - one module for each kind of food: `burger` with `fillings`, `pizza` with `toppings`, `sushi` with `rolls`, ...;
//! - `scene`, which composes a picture of all this, with `grading` and, so that pictures differ, `deck`;
//! - `store`, which lists the pictures of the demo.

mod background;
mod burger;
mod camera;
mod canvas;
mod colour;
mod deck;
mod dish;
mod doughnut;
mod egg;
mod extras;
mod fillings;
mod grading;
mod ingredients;
mod pizza;
mod placement;
mod rolls;
mod salad;
mod scene;
mod shape;
mod solid;
mod store;
mod sushi;
mod texture;
mod toppings;

pub use scene::draw;
pub use store::{SET_NAME, StorePicture, inventory, set_query, single_queries, training};

/// A kind of food.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Food {
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

impl Food {
    /// All kinds.
    pub const ALL: [Self; 6] = [Self::Burger, Self::Pizza, Self::Salad, Self::Sushi, Self::Doughnut, Self::Egg];

    /// Its label: the word that the names of its pictures begin with.
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
