//! Local coordinates: where on the table a thing is drawn, in which direction and size.

/// A local coordinate system on the table: position, rotation and scale of what is drawn there.
#[derive(Debug, Clone, Copy)]
pub struct Placement {
    /// World position.
    pub at: (f32, f32, f32),
    /// Rotation on the table.
    pub turn: f32,
    /// Size of the local unit.
    pub scale: f32,
}

impl Placement {
    /// A place on the table.
    pub fn new(x: f32, y: f32, z: f32) -> Self {
        Self { at: (x, y, z), turn: 0.0, scale: 1.0 }
    }

    /// The same place, raised by local units.
    pub fn lift(self, z: f32) -> Self {
        Self { at: (self.at.0, self.at.1, self.at.2 + z * self.scale), ..self }
    }

    /// The place at these local coordinates.
    pub fn shift(self, x: f32, y: f32) -> Self {
        let (sin, cos) = self.turn.sin_cos();
        let moved =
            (self.at.0 + self.scale * (x * cos - y * sin), self.at.1 + self.scale * (x * sin + y * cos), self.at.2);
        Self { at: moved, ..self }
    }

    /// The same place, rotated further by radians.
    pub fn turned(self, radians: f32) -> Self {
        Self { turn: self.turn + radians, ..self }
    }

    /// The same place with a larger or smaller unit.
    pub fn scaled(self, scale: f32) -> Self {
        Self { scale: self.scale * scale, ..self }
    }

    /// A direction on the table, in this place's local coordinates.
    pub fn local(&self, direction: (f32, f32)) -> (f32, f32) {
        let (sin, cos) = self.turn.sin_cos();
        (direction.0 * cos + direction.1 * sin, direction.1 * cos - direction.0 * sin)
    }
}

/// A point in a place's local coordinates: across, toward its front, up.
pub type Point = (f32, f32, f32);
