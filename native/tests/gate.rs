//! The export gate on hand-made overlayfs layers: what is seen as changed and what may leave.
use std::{
    fs,
    os::{
        fd::OwnedFd,
        unix::fs::{symlink, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use _native::export::{self, Change, Survey};
use rustix::fs::{mknodat, open, setxattr, FileType, Mode, OFlags, XattrFlags, CWD};
use tempfile::TempDir;

struct Layers {
    _place: TempDir,
    upper: PathBuf,
    lower: PathBuf,
}

impl Layers {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let (upper, lower) = (place.path().join("upper"), place.path().join("lower"));
        fs::create_dir(&upper).unwrap();
        fs::create_dir(&lower).unwrap();
        Self { _place: place, upper, lower }
    }

    fn survey(&self) -> Survey {
        export::survey(&directory(&self.upper), &directory(&self.lower)).unwrap()
    }
}

fn directory(path: &Path) -> OwnedFd {
    open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn whiteout(path: PathBuf) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    mknodat(CWD, &path, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
}

fn paths(survey: &Survey) -> Vec<(&str, Change)> {
    survey.changes.iter().map(|(path, change)| (std::str::from_utf8(path).unwrap(), *change)).collect()
}

fn refused(survey: &Survey) -> Vec<&str> {
    survey.refused.iter().map(|(path, _)| std::str::from_utf8(path).unwrap()).collect()
}

const PLAIN: Change = Change::Modified { executable: false };
const NEW: Change = Change::Created { executable: false };

#[test]
fn a_copied_up_file_with_the_same_bytes_is_no_change() {
    let layers = Layers::new();
    write(layers.lower.join("same"), "x");
    write(layers.upper.join("same"), "x");
    write(layers.lower.join("other"), "x");
    write(layers.upper.join("other"), "y");
    assert_eq!(paths(&layers.survey()), [("other", PLAIN)]);
}

#[test]
fn the_executable_bit_alone_is_a_change() {
    let layers = Layers::new();
    write(layers.lower.join("tool"), "x");
    write(layers.upper.join("tool"), "x");
    fs::set_permissions(layers.upper.join("tool"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(paths(&layers.survey()), [("tool", Change::Modified { executable: true })]);
}

#[test]
fn a_removed_directory_is_the_removal_of_its_files() {
    let layers = Layers::new();
    for name in ["d/a", "d/e/b", "keep"] {
        write(layers.lower.join(name), "x");
    }
    whiteout(layers.upper.join("d"));
    assert_eq!(paths(&layers.survey()), [("d/a", Change::Deleted), ("d/e/b", Change::Deleted)]);
}

#[test]
fn an_opaque_directory_hides_what_it_does_not_name() {
    let layers = Layers::new();
    for name in ["d/a", "d/b", "d/e/c"] {
        write(layers.lower.join(name), "x");
    }
    write(layers.upper.join("d/b"), "y");
    setxattr(layers.upper.join("d"), c"user.overlay.opaque", b"y", XattrFlags::empty()).unwrap();
    let survey = layers.survey();
    assert_eq!(paths(&survey), [("d/a", Change::Deleted), ("d/b", PLAIN), ("d/e/c", Change::Deleted)]);
}

#[test]
fn a_file_in_the_place_of_a_directory_and_the_other_way_round() {
    let layers = Layers::new();
    write(layers.lower.join("d/a"), "x");
    write(layers.upper.join("d"), "file");
    write(layers.lower.join("f"), "x");
    write(layers.upper.join("f/inside"), "y");
    let survey = layers.survey();
    assert_eq!(paths(&survey), [("d", NEW), ("d/a", Change::Deleted), ("f", Change::Deleted), ("f/inside", NEW)]);
}

#[test]
fn links_special_files_setuid_and_git_directories_stay_inside() {
    let layers = Layers::new();
    symlink("/etc/passwd", layers.upper.join("link")).unwrap();
    symlink("/etc/passwd", layers.lower.join("was-link")).unwrap();
    write(layers.upper.join("was-link"), "x");
    mknodat(CWD, layers.upper.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    write(layers.upper.join("suid"), "x");
    fs::set_permissions(layers.upper.join("suid"), fs::Permissions::from_mode(0o4755)).unwrap();
    write(layers.upper.join("sub/.GIT/hooks/pre-commit"), "x");
    write(layers.upper.join("git~1"), "gitdir: elsewhere");
    write(layers.upper.join("bare/HEAD"), "ref: refs/heads/main");
    write(layers.upper.join("bare/objects/x"), "x");
    write(layers.upper.join("bare/config"), "[core]\nfsmonitor = false");
    let survey = layers.survey();
    assert_eq!(paths(&survey), []);
    assert_eq!(refused(&survey), ["bare", "git~1", "link", "pipe", "sub/.GIT", "suid", "was-link"]);
}

#[test]
fn a_bare_repository_completed_in_two_runs_is_still_seen() {
    let layers = Layers::new();
    write(layers.lower.join("bare/objects/x"), "x");
    write(layers.upper.join("bare/HEAD"), "ref: refs/heads/main");
    assert_eq!(refused(&layers.survey()), ["bare"]);
}
