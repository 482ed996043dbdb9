//! The few questions to rtnetlink that attaching needs, asked and answered at once.
//!
//! They are asked synchronously because detaching happens in `drop`.

use std::io;

use nix::errno::Errno;
use rtnetlink::{
    packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, Nla as _},
    packet_route::{
        RouteNetlinkMessage,
        link::{LinkAttribute, LinkMessage, LinkXdp},
        tc::{TcAttribute, TcHandle, TcMessage, TcOption},
    },
    sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE},
};

/// Handle of the clsact queueing discipline, `ffff:`.
const CLSACT: TcHandle = TcHandle {
    major: 0xffff,
    minor: 0,
};
/// Where it hangs on the device (`TC_H_CLSACT`).
const CLSACT_PARENT: TcHandle = TcHandle {
    major: 0xffff,
    minor: 0xfff1,
};
const CLSACT_INGRESS: TcHandle = TcHandle {
    major: 0xffff,
    minor: 0xfff2,
};
const CLSACT_EGRESS: TcHandle = TcHandle {
    major: 0xffff,
    minor: 0xfff3,
};

/// The name of this interface; `ENODEV` where there is none.
pub(super) fn name(ifindex: u32) -> io::Result<String> {
    let name = link(ifindex)?.find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name),
        _ => None,
    });
    name.ok_or_else(|| Errno::ENODEV.into())
}

/// Identifier of an XDP program on this interface, whatever its mode.
pub(super) fn xdp_program(ifindex: u32) -> io::Result<Option<u32>> {
    let xdp = link(ifindex)?
        .filter_map(|attribute| match attribute {
            LinkAttribute::Xdp(xdp) => Some(xdp),
            _ => None,
        })
        .flatten();
    let program = xdp.into_iter().find_map(|attribute| match attribute {
        // With programs in several modes there is no common one, only one for each mode.
        LinkXdp::ProgId(id)
        | LinkXdp::DrvProgId(id)
        | LinkXdp::SkbProgId(id)
        | LinkXdp::HwProgId(id)
            if id != 0 =>
        {
            Some(id)
        }
        _ => None,
    });
    Ok(program)
}

fn link(ifindex: u32) -> io::Result<impl Iterator<Item = LinkAttribute>> {
    let mut question = LinkMessage::default();
    question.header.index = ifindex;
    let answers = ask(RouteNetlinkMessage::GetLink(question), NLM_F_ACK)?;
    let links = answers.into_iter().filter_map(|answer| match answer {
        RouteNetlinkMessage::NewLink(link) => Some(link.attributes),
        _ => None,
    });
    Ok(links.flatten())
}

/// Whether any filter hangs on the clsact discipline of this interface.
pub(super) fn has_filters(ifindex: i32) -> io::Result<bool> {
    for parent in [CLSACT_INGRESS, CLSACT_EGRESS] {
        let mut question = TcMessage::with_index(ifindex);
        question.header.parent = parent;
        let answers = ask(RouteNetlinkMessage::GetTrafficFilter(question), NLM_F_DUMP)?;
        if !answers.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether filters of these names hang on the clsact discipline of this interface.
pub(super) fn has_named_filters(
    ifindex: i32,
    ingress: Option<&str>,
    egress: &str,
) -> io::Result<bool> {
    let wanted = [(CLSACT_INGRESS, ingress), (CLSACT_EGRESS, Some(egress))];
    for (parent, name) in wanted {
        let Some(name) = name else { continue };
        let mut question = TcMessage::with_index(ifindex);
        question.header.parent = parent;
        let answers = ask(RouteNetlinkMessage::GetTrafficFilter(question), NLM_F_DUMP)?;
        let is_there = answers.iter().any(|answer| match answer {
            RouteNetlinkMessage::NewTrafficFilter(filter) => bears(filter, name),
            _ => false,
        });
        if !is_there {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a BPF filter has this name.
fn bears(filter: &TcMessage, name: &str) -> bool {
    let options = filter
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            TcAttribute::Options(options) => Some(options),
            _ => None,
        });
    options.flatten().any(|option| match option {
        TcOption::Other(nla) => {
            let mut value = vec![0; nla.value_len()];
            nla.emit_value(&mut value);
            // The kernel ends the name by a zero.
            value.strip_suffix(&[0]) == Some(name.as_bytes())
        }
        _ => false,
    })
}

/// Removes the clsact discipline, and with it every filter on it.
pub(super) fn remove_clsact(ifindex: i32) -> io::Result<()> {
    let mut request = TcMessage::with_index(ifindex);
    request.header.handle = CLSACT;
    request.header.parent = CLSACT_PARENT;
    ask(RouteNetlinkMessage::DelQueueDiscipline(request), NLM_F_ACK)?;
    Ok(())
}

/// Sends one request and collects the answers up to the end of the dump or the acknowledgement.
fn ask(request: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut message = NetlinkMessage::from(request);
    message.header.flags = NLM_F_REQUEST | flags;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);

    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&bytes, 0)?;

    let mut answers = Vec::new();
    loop {
        let (datagram, _) = socket.recv_from_full()?;
        let mut rest = datagram.as_slice();
        while !rest.is_empty() {
            let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(io::Error::other)?;
            match answer.payload {
                NetlinkPayload::Done(_) => return Ok(answers),
                NetlinkPayload::Error(error) if error.code.is_none() => return Ok(answers),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(inner) => answers.push(inner),
                _ => {}
            }
            // Messages are aligned to four bytes; the header says how long this one was.
            let length = (answer.header.length as usize).next_multiple_of(4);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}
