//! Puts questions on an interface.

use std::{
    collections::BTreeMap,
    os::fd::{AsRawFd as _, OwnedFd},
};

use nix::{
    errno::Errno,
    ifaddrs::getifaddrs,
    sys::socket::{
        AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrStorage, sendto, socket,
    },
};

use super::Question;

/// A packet socket that only sends.
#[derive(Debug)]
pub struct Asker {
    socket: OwnedFd,
    /// By interface index.
    devices: BTreeMap<u32, LinkAddr>,
}

/// Why a question cannot be asked.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum AskerError {
    /// The process may not send what it likes.
    #[error(
        "missing CAP_NET_RAW, which asking for addresses needs: run as root (`sudo vrrpwatch \
        who`), or grant it once: `sudo setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw+ep \
        /usr/local/bin/vrrpwatch`"
    )]
    Rights,
    /// There is no packet socket to be had.
    #[error("cannot open a packet socket")]
    Socket(#[source] Errno),
    /// The interface is gone.
    #[error("there is no interface with index {0}")]
    Gone(u32),
    /// The interface takes no frame.
    #[error("the interface takes no frame")]
    Send(#[source] Errno),
}

impl Asker {
    /// Opens the socket.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn open() -> Result<Self, AskerError> {
        // Of protocol none: nothing ever comes in here.
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            None,
        )
        .map_err(|error| match error {
            Errno::EPERM => AskerError::Rights,
            error => AskerError::Socket(error),
        })?;
        Ok(Self {
            socket,
            devices: BTreeMap::new(),
        })
    }

    /// Asks.
    ///
    /// # Errors
    /// The interface is gone, or takes no frame just now.
    pub fn ask(&mut self, question: &Question) -> Result<(), AskerError> {
        let device = self.device(question.ifindex)?;
        sendto(
            self.socket.as_raw_fd(),
            &question.frame(),
            &device,
            MsgFlags::empty(),
        )
        .map(drop)
        .map_err(AskerError::Send)
    }

    /// The interface as the socket wants it named.
    fn device(&mut self, index: u32) -> Result<LinkAddr, AskerError> {
        if let Some(device) = self.devices.get(&index) {
            return Ok(*device);
        }
        self.devices = getifaddrs()
            .map_err(AskerError::Socket)?
            .filter_map(|entry| entry.address)
            .filter_map(|address: SockaddrStorage| address.as_link_addr().copied())
            .filter_map(|device| Some((u32::try_from(device.ifindex()).ok()?, device)))
            .collect();
        self.devices
            .get(&index)
            .copied()
            .ok_or(AskerError::Gone(index))
    }
}
