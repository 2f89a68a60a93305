//! The viewpoint and the lamp: what is visible of a surface, and how bright it is.

/// The viewpoint: a parallel projection.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// The pixel of the world's origin.
    pub centre_px: (f32, f32),
    /// Pixels per world unit.
    pub unit_px: f32,
    /// Height of a circle on the table as a share of its width: 1 from above, 0.2 almost from the side.
    pub squash: f32,
    /// Rotation of the camera about its own axis.
    pub roll_degrees: f32,
}

impl Camera {
    /// The visible share of an upright length.
    pub fn rise(&self) -> f32 {
        (1.0 - self.squash * self.squash).max(0.0).sqrt()
    }
}

/// Where the lamp hangs.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// The unit direction on the table toward the lamp.
    pub toward: (f32, f32),
    /// The sine of its elevation.
    pub height: f32,
}

impl Light {
    /// Brightness of a surface whose normal has these parts toward the lamp (on the table) and up; about 1 for a top.
    pub fn on(&self, toward: f32, up: f32) -> f32 {
        let level = (1.0 - self.height * self.height).sqrt();
        let direct = toward * level + up * self.height;
        0.5 + 0.65 * ((direct + 0.35) / 1.35).max(0.0)
    }

    /// True if no part of a rim whose normal leans out and up this much is in full shade.
    pub fn is_linear(&self, normal: (f32, f32)) -> bool {
        let level = (1.0 - self.height * self.height).sqrt();
        normal.1 * self.height + 0.35 >= normal.0.abs() * level
    }
}
