//! From pictures to the model that serves: when to train, the thread that does, the gate, and the exchange.

pub mod examine;
pub mod leash;
pub mod pace;
pub mod recode;
pub mod retrain;
pub mod rollback;
pub mod takeover;
pub mod trainer;
pub mod training;
