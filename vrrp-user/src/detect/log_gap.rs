//! log-gap: lines of the log are missing.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::log_line,
};
use crate::{
    daemon::{GAP_SHADOW, Host},
    model::Timestamp,
    record::Code,
};

pub(super) struct LogGap;

impl Detector for LogGap {
    fn code(&self) -> Code {
        Code::LogGap
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        Assessment::present_if(find(view).is_some(), Sign::default)
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, gap)) = find(view) else {
            return Description::default();
        };
        Description {
            sources: Vec::new(),
            message: format!(
                "Lines of {}'s log are missing ({} so far): what is not in it proves nothing for a \
                 while.",
                host.called(),
                host.coverage.missing
            ),
            evidence: vec![log_line(
                gap,
                view.router,
                "the logger says that it left lines out".to_owned(),
            )],
            advice: "Raise the limits of the logger: RateLimitIntervalSec and RateLimitBurst in \
                     journald.conf, SysSock.RateLimit.Interval and SysSock.RateLimit.Burst of rsyslog's imuxsock."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        find(view).map(|(_, gap)| gap + GAP_SHADOW)
    }
}

fn find<'a>(view: &View<'a>) -> Option<(&'a Host, Timestamp)> {
    view.beliefs().find_map(|(host, _)| {
        let gap = host
            .coverage
            .gap
            .filter(|gap| view.now < *gap + GAP_SHADOW)?;
        Some((host, gap))
    })
}
