//! The child process: limits its own memory and time, then decodes the picture.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use image::DynamicImage;

use super::extract::{Extracted, Outputs, at_most, extract, extract_pixels};
use super::limits::{limit_before_reading, limit_memory, volunteer_for_memory};
use super::protocol::{ChildRequest, ChildTask, DecodeOrder, FeatureMaker, write_answer, write_ready};
use super::usage::Activity;
use crate::model::Extractor;
use crate::picture::{self, Resolution, Unusable, silence_caught_panics};
use crate::sandbox;

/// Longer side of a picture that is sent back from a trial: enough for any sheet, and 36 MB at most.
const LONGEST_PX: u32 = 3_000;

/// Why the child could not be set up, for a person.
type SetupError = String;

/// Runs the hidden command: `request` is its argument. The exit code is 0 when an answer was written; anything else before
/// "ready" was written means that this machine does not allow a child like this.
pub fn serve(request: &str) -> ExitCode {
    volunteer_for_memory();
    sandbox::enter_trial();
    // On a thread of its own, whose stack is as large as that of the service's threads that decode.
    let request = request.to_owned();
    let worker = thread::Builder::new().spawn(move || work(&request));
    match worker.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => refused(&error),
        Ok(Err(_)) => ExitCode::from(super::parent::PANICKED),
        Err(error) => refused(&error.to_string()),
    }
}

fn refused(reason: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{reason}");
    ExitCode::FAILURE
}

fn work(request: &str) -> Result<(), SetupError> {
    silence_caught_panics();
    let request: ChildRequest = serde_json::from_str(request).map_err(|error| error.to_string())?;
    limit_before_reading(&request).map_err(|error| error.to_string())?;
    let extractor = match &request.task {
        ChildTask::Trial(DecodeOrder { features_by: FeatureMaker::Child(encoder), .. }) => {
            Some(Extractor::load(*encoder).map_err(|trouble| trouble.to_string())?)
        }
        ChildTask::Trial(_) | ChildTask::Decode(..) | ChildTask::Shrink(..) => None,
    };
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let memory_bytes = limit_memory(request.memory_bytes).map_err(|error| error.to_string())?;
    let mut answer = io::stdout().lock();
    write_ready(&mut answer, memory_bytes).map_err(|error| error.to_string())?;
    let trial = match (request.task, &extractor) {
        (ChildTask::Trial(order), Some(extractor)) => Some((of_trial(order.outputs), extractor.side())),
        (ChildTask::Trial(DecodeOrder { outputs, features_by: FeatureMaker::Service { side }, .. }), None) => {
            Some((of_trial(outputs), side))
        }
        _ => None,
    };
    let longest_px = if let ChildTask::Shrink(_, longest_px) = request.task { longest_px } else { u32::MAX };
    let resolution = match (trial, request.task) {
        (Some((outputs, side)), _) => outputs.resolution(side),
        (None, ChildTask::Decode(_, resolution)) => resolution,
        (None, _) => Resolution::for_copy(longest_px),
    };
    let before_ms = processor_ms();
    let decoded = decode(&bytes, &request, resolution);
    let decode_ms = processor_ms().saturating_sub(before_ms);
    let result = decoded.and_then(|(picture, whole)| match (trial, &extractor) {
        (Some((outputs, _)), Some(extractor)) => extract(picture, whole, outputs, extractor),
        (Some((outputs, side)), None) => extract_pixels(picture, whole, outputs, side),
        (None, _) => {
            let picture = at_most(picture, longest_px)?;
            Ok(Extracted { square: None, features: None, picture: Some(picture), size: whole.into() })
        }
    });
    let written = write_answer(&mut answer, result, decode_ms).and_then(|()| answer.flush());
    written.map_err(|error| error.to_string())
}

/// The picture, and the size of all of it.
fn decode(
    bytes: &[u8],
    request: &ChildRequest,
    resolution: Resolution,
) -> Result<(DynamicImage, (u32, u32)), Unusable> {
    let path = PathBuf::from("picture").with_extension(&request.extension);
    let opened = picture::open(bytes, &path, request.task.bounds())?;
    let whole = opened.size();
    Ok((opened.decode(resolution)?, whole))
}

/// What is made in a trial where these are asked for.
fn of_trial(Outputs { square, features, longest_px, crop }: Outputs) -> Outputs {
    // The network runs whenever there is a square, because it could crash on the picture as well.
    Outputs { square, features: square || features, longest_px: longest_px.map(|px| px.min(LONGEST_PX)), crop }
}

fn processor_ms() -> u64 {
    Activity::of("self").map_or(0, |activity| activity.processor_time.as_millis() as u64)
}
