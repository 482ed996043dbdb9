//! Whether somebody on this host speaks VRRP.
//!
//! A daemon needs a raw socket for the protocol, which ends with it however it ends, and which it
//! keeps while it is stopped. Unlike its name or number, that shows from within a container as well.

use std::{fs, io};

/// Raw sockets of this network namespace, of either family.
const LISTS: [&str; 2] = ["/proc/self/net/raw", "/proc/self/net/raw6"];

/// VRRP, and the authentication header around it, as the lists write them.
const PROTOCOLS: [&str; 2] = ["0070", "0033"];

/// Whether there is a raw socket for VRRP in this network namespace.
pub(super) fn vrrp_is_spoken() -> io::Result<bool> {
    for list in LISTS {
        match fs::read_to_string(list) {
            Ok(text) => {
                if names_vrrp(&text) {
                    return Ok(true);
                }
            }
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether a list has such a socket: the protocol stands where other lists have the port.
fn names_vrrp(list: &str) -> bool {
    list.lines()
        .filter_map(|line| line.split_whitespace().nth(1)?.rsplit_once(':'))
        .any(|(_, protocol)| PROTOCOLS.contains(&protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_their_protocol() {
        const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n";
        let list = |socket: &str| format!("{HEAD} 217: {socket} 00000000:0000 07 00000000\n");
        assert!(names_vrrp(&list("120000E0:0070")));
        assert!(names_vrrp(&list("00000000000000000000000000000000:0070")));
        assert!(names_vrrp(&list("00000000:0033")));
        assert!(!names_vrrp(&list("00000000:0001")));
        assert!(!names_vrrp(HEAD));
    }
}
