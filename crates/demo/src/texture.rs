//! A tile of soft noise: the grain of wood, the clouds of marble, the mottling of dough.

use std::sync::LazyLock;

use artificio_random::Random;
use tiny_skia::{FillRule, FilterQuality, Paint, Pattern, Pixmap, PremultipliedColorU8, SpreadMode, Transform};

use crate::canvas::SceneCanvas;
use crate::placement::Placement;
use crate::shape::Shape;

const TILE_PX: usize = 256;

/// How noise is laid over an outline.
#[derive(Debug, Clone, Copy)]
pub struct Grain {
    /// 0..1.
    pub opacity: f32,
    /// Local units that a tile covers, along its two axes; different ones make streaks.
    pub size: (f32, f32),
    /// Degrees between the tile's first axis and the local one.
    pub turn_degrees: f32,
    /// Which part of the noise is shown.
    pub offset: f32,
}

impl SceneCanvas {
    /// Lays noise over an outline that lies flat at `place`.
    pub fn grain(&mut self, outline: &Shape, place: &Placement, grain: Grain) {
        let (Some(path), Some(tile)) = (outline, TILE.as_ref()) else { return };
        let per_px = (grain.size.0 / TILE_PX as f32, grain.size.1 / TILE_PX as f32);
        let tiling = Transform::from_rotate(grain.turn_degrees)
            .pre_scale(per_px.0, per_px.1)
            .pre_translate(grain.offset * 97.0, grain.offset * 41.0);
        let shader = Pattern::new(tile.as_ref(), SpreadMode::Repeat, FilterQuality::Bilinear, grain.opacity, tiling);
        let paint = Paint { shader, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::EvenOdd, self.transform(place), None);
    }
}

/// Black where the noise is low, white where it is high, transparent between.
static TILE: LazyLock<Option<Pixmap>> = LazyLock::new(|| {
    let mut tile = Pixmap::new(TILE_PX as u32, TILE_PX as u32)?;
    for (pixel, height) in tile.pixels_mut().iter_mut().zip(noise()) {
        let strength = ((height - 0.5).abs() * 3.2 * 255.0).min(255.0) as u8;
        let tone = if height > 0.5 { strength } else { 0 };
        *pixel = PremultipliedColorU8::from_rgba(tone, tone, tone, strength)?;
    }
    Some(tile)
});

/// Value noise of five octaves that repeats at the tile's edges, about 0..1 with its middle at 0.5.
fn noise() -> Vec<f32> {
    let mut heights = vec![0.5; TILE_PX * TILE_PX];
    for (octave, cells) in [4usize, 8, 16, 32, 64, 128].into_iter().enumerate() {
        let mut random = Random::new(cells as u64);
        let lattice: Vec<f32> = (0..cells * cells).map(|_| random.around(0.0, 1.0)).collect();
        let share = 0.26 * 0.62f32.powi(octave as i32);
        for (index, height) in heights.iter_mut().enumerate() {
            *height += share * between(&lattice, cells, (index % TILE_PX, index / TILE_PX));
        }
    }
    heights
}

fn between(lattice: &[f32], cells: usize, pixel: (usize, usize)) -> f32 {
    let split = |position: usize| {
        let scaled = position as f32 * cells as f32 / TILE_PX as f32;
        let part = scaled.fract();
        (scaled as usize, part * part * (3.0 - 2.0 * part))
    };
    let ((column, right), (row, down)) = (split(pixel.0), split(pixel.1));
    let node = |across: usize, below: usize| lattice[(row + below) % cells * cells + (column + across) % cells];
    let upper = node(0, 0) + (node(1, 0) - node(0, 0)) * right;
    let lower = node(0, 1) + (node(1, 1) - node(0, 1)) * right;
    upper + (lower - upper) * down
}
