//! Frames put on a wire as they are: with VLAN tags, forged, or by the hundred thousand.

use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::{Context as _, Result, ensure};
use nix::{
    ifaddrs::getifaddrs,
    sys::socket::{
        AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrStorage, sendto, socket,
    },
};

use super::namespace::Namespace;

/// A device to send through, past the host's own network stack.
#[derive(Debug)]
pub struct Injector {
    socket: OwnedFd,
    device: LinkAddr,
}

impl Injector {
    pub(super) fn open(namespace: &Namespace, device: &str) -> Result<Self> {
        namespace.inside(|| {
            // Of protocol none: this end only sends.
            let socket = socket(
                AddressFamily::Packet,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC,
                None,
            )
            .context("could not open a packet socket")?;
            let device = getifaddrs()
                .context("could not list the interfaces")?
                .filter(|entry| entry.interface_name == device)
                .find_map(|entry| {
                    entry
                        .address
                        .as_ref()
                        .and_then(SockaddrStorage::as_link_addr)
                        .copied()
                })
                .with_context(|| format!("there is no interface {device}"))?;
            Ok(Self { socket, device })
        })
    }

    /// Sends a whole Ethernet frame.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        let sent = sendto(
            self.socket.as_raw_fd(),
            frame,
            &self.device,
            MsgFlags::empty(),
        )
        .context("could not send a frame")?;
        ensure!(sent == frame.len(), "only {sent} bytes of a frame went out");
        Ok(())
    }
}
