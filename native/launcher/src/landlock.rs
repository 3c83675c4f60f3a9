//! Landlock: whatever the mounts may have missed, writing works below the tree, /tmp, /dev/shm and home only.
use std::path::Path;

use ::landlock::{
    Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, ABI,
};

use crate::{
    failure::{Failure, Layer, Outcome},
    spec::{path, Spec},
};

/// The newest interface this file was written for; newer kernels are asked for this much.
const NEWEST: ABI = ABI::V6;

/// Restricts the calling process irrevocably; an error without Landlock.
pub fn restrict(spec: &Spec) -> Outcome<()> {
    let fail = |what: &str, error: &dyn std::fmt::Display| Failure::new(Layer::Landlock, format!("{what}: {error}"));
    let writable = [path(&spec.place), Path::new("/tmp"), Path::new("/dev/shm"), path(&spec.home)];
    let devices = ["null", "zero", "full", "random", "urandom"].map(|name| Path::new("/dev").join(name));
    let rules = || -> Result<_, Box<dyn std::error::Error>> {
        let mut rules = ruleset(!spec.loopback)?.create()?;
        rules = rules.add_rule(PathBeneath::new(PathFd::new("/")?, AccessFs::from_read(NEWEST)))?;
        for target in writable {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(target)?, below(true)))?;
        }
        for target in devices {
            let access = AccessFs::from_file(NEWEST) & !BitFlags::from(AccessFs::Execute);
            rules = rules.add_rule(PathBeneath::new(PathFd::new(target)?, access))?;
        }
        for target in ["/dev/pts", "/dev/tty"].map(Path::new).into_iter().filter(|target| target.exists()) {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(target)?, terminal(target.is_dir())))?;
        }
        Ok(rules.restrict_self()?)
    };
    let status = rules().map_err(|error| fail("restrict", &error))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(fail("restrict", &"this kernel has no Landlock"));
    }
    Ok(())
}

/// Everything but devices: none can be made or talked to.
fn below(write: bool) -> BitFlags<AccessFs> {
    let all = if write { AccessFs::from_all(NEWEST) } else { AccessFs::from_read(NEWEST) };
    all & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev)
}

/// Reading, writing and the ioctls of a terminal; which of those are refused says seccomp.
fn terminal(all_below: bool) -> BitFlags<AccessFs> {
    let talk = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    if all_below {
        talk
    } else {
        talk & AccessFs::from_file(NEWEST)
    }
}

fn ruleset(no_network: bool) -> Result<Ruleset, RulesetError> {
    // The first interface is a hard requirement, what came later is taken where the kernel has it.
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    if no_network {
        rules.handle_access(AccessNet::from_all(NEWEST))
    } else {
        Ok(rules)
    }
}

/// Whether the kernel enforces Landlock at all, tried on this very process.
pub fn probe() -> Outcome<()> {
    let fail = |error: &dyn std::fmt::Display| Failure::new(Layer::Landlock, format!("restrict: {error}"));
    let status = ruleset(true)
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.restrict_self())
        .map_err(|error| fail(&error))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(fail(&"this kernel has no Landlock"));
    }
    Ok(())
}
