//! vrid-collision: two services with different addresses use one VRID.

use super::{
    rivals,
    view::{Assessment, Description, Detector, Matter, Sign, View},
};
use crate::record::Code;

pub(super) struct VridCollision;

impl Detector for VridCollision {
    fn code(&self) -> Code {
        Code::VridCollision
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        rivals::assess(view, false)
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        rivals::collision(view, sign)
    }
}
