//! What the running kernel says of its own types: where its structures keep what the drop counter
//! reads, and what its drop reasons are called.
//!
//! It comes from BTF, the type information that nearly every distribution builds into its kernels.

use std::{collections::BTreeMap, fs, io, sync::Arc};

use btfparse::{
    Error as BtfError, Integer32Value, Offset, Readable, Result as BtfResult, TypeInformation,
    TypeVariant,
};
use thiserror::Error;
use vrrp_ebpf::dropped::Layout;

/// Where the kernel has it.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// The reason takes the lower bits; what stands above names the subsystem that it is a reason of.
const SUBSYSTEM_SHIFT: u32 = 16;

/// Why the kernel's types are not known.
#[derive(Debug, Error)]
pub enum TypesError {
    /// There is no type information.
    #[error("the kernel does not describe its types: it was built without CONFIG_DEBUG_INFO_BTF")]
    NotThere,
    /// It cannot be read.
    #[error("cannot read {BTF}, in which the kernel describes its types")]
    Unreadable(#[source] io::Error),
    /// It cannot be understood.
    #[error("the kernel's description of its types ({BTF}) cannot be understood: {0}")]
    Strange(String),
    /// A structure looks different.
    #[error("this kernel has no {member} in struct {structure}")]
    Missing {
        /// Name of the structure.
        structure: &'static str,
        /// Name of the member.
        member: &'static str,
    },
}

/// What is to be known of the running kernel; the same as long as it runs.
#[derive(Debug)]
pub struct KernelTypes {
    pub(super) layout: Layout,
    /// Whether network namespaces can be told apart.
    pub(super) has_namespaces: bool,
    /// The drop reasons by number; `None` on kernels that have none (before 5.17).
    reasons: Option<BTreeMap<u32, Arc<str>>>,
    subsystems: BTreeMap<u32, Arc<str>>,
}

impl KernelTypes {
    /// Reads what the running kernel says. Takes a few tenths of a second.
    ///
    /// # Errors
    /// The kernel says nothing, or is of another make.
    pub fn read() -> Result<Self, TypesError> {
        let bytes = Bytes(fs::read(BTF).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => TypesError::NotThere,
            _ => TypesError::Unreadable(error),
        })?);
        let types = TypeInformation::new(&bytes)
            .map_err(|error| TypesError::Strange(error.message().to_owned()))?;
        let of = |structure, member| offset(&types, structure, member);
        let namespaces = of("net_device", "nd_net.net")
            .and_then(|device| Ok((device, of("sock", "__sk_common.skc_net.net")?)))
            .and_then(|(device, sock)| Ok((device, sock, of("net", "ns.inum")?)));
        // Absent where the kernel was built without namespaces: then there is one.
        let (device_net, sock_net, net_inode) = namespaces.as_ref().copied().unwrap_or_default();
        Ok(Self {
            layout: Layout {
                head: of("sk_buff", "head")?,
                data: of("sk_buff", "data")?,
                tail: of("sk_buff", "tail")?,
                network_header: of("sk_buff", "network_header")?,
                protocol: of("sk_buff", "protocol")?,
                dev: of("sk_buff", "dev")?,
                sk: of("sk_buff", "sk")?,
                skb_iif: of("sk_buff", "skb_iif")?,
                route: of("sk_buff", "_skb_refdst")?,
                route_dev: of("dst_entry", "dev")?,
                device_ifindex: of("net_device", "ifindex")?,
                device_net,
                sock_net,
                net_inode,
            },
            has_namespaces: namespaces.is_ok(),
            reasons: of("trace_event_raw_kfree_skb", "reason")
                .is_ok()
                .then(|| names(&types, "skb_drop_reason", &["SKB_DROP_REASON_", "SKB_"])),
            subsystems: names(
                &types,
                "skb_drop_reason_subsys",
                &["SKB_DROP_REASON_SUBSYS_"],
            ),
        })
    }

    /// The drop reasons that the kernel knows, without their prefix, such as `NETFILTER_DROP`; none
    /// where it does not tell reasons.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.reasons.iter().flatten().map(|(_, name)| &**name)
    }

    /// Whether drops come with a reason.
    pub const fn has_reasons(&self) -> bool {
        self.reasons.is_some()
    }

    /// Whether the number means that nothing was dropped.
    pub(super) fn is_no_drop(&self, reason: u32) -> bool {
        let name = self.reasons.as_ref().and_then(|names| names.get(&reason));
        name.is_some_and(|name| matches!(&**name, "NOT_DROPPED_YET" | "CONSUMED"))
    }

    /// The name of a drop reason. `None` on kernels that have none.
    pub(super) fn reason(&self, number: u32) -> Option<Arc<str>> {
        let names = self.reasons.as_ref()?;
        Some(names.get(&number).cloned().unwrap_or_else(|| {
            let subsystem = self.subsystems.get(&(number >> SUBSYSTEM_SHIFT));
            let within = number & ((1 << SUBSYSTEM_SHIFT) - 1);
            match subsystem {
                Some(name) if number >> SUBSYSTEM_SHIFT != 0 => format!("{name}_{within}").into(),
                _ => format!("REASON_{number}").into(),
            }
        }))
    }
}

/// Where a structure has a member.
fn offset(
    types: &TypeInformation,
    structure: &'static str,
    member: &'static str,
) -> Result<u32, TypesError> {
    // Other things may have the same name.
    let is_it = |variant: &TypeVariant| match variant {
        TypeVariant::Struct(it) => it.name().as_deref() == Some(structure),
        _ => false,
    };
    types
        .get()
        .iter()
        .filter(|(_, variant)| is_it(variant))
        .find_map(|(id, _)| match types.offset_of(*id, member) {
            Ok((_, Offset::ByteOffset(offset))) => Some(offset),
            Ok((_, Offset::BitOffsetAndSize(..))) | Err(_) => None,
        })
        .ok_or(TypesError::Missing { structure, member })
}

/// The names that an enumeration gives to numbers, each without the first prefix that it has.
fn names(types: &TypeInformation, name: &str, prefixes: &[&str]) -> BTreeMap<u32, Arc<str>> {
    let values = |variant: &TypeVariant| match variant {
        TypeVariant::Enum(it) if it.name().as_deref() == Some(name) => {
            Some(it.named_value_list().clone())
        }
        _ => None,
    };
    let values = types.get().values().find_map(values).unwrap_or_default();
    let short = |name: &str| {
        let stripped = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix));
        Arc::from(stripped.unwrap_or(name))
    };
    values
        .iter()
        .filter_map(|it| match it.value {
            Integer32Value::Unsigned(value) => Some((value, short(&it.name))),
            Integer32Value::Signed(value) => Some((u32::try_from(value).ok()?, short(&it.name))),
        })
        .collect()
}

/// A file in memory, for the parser.
struct Bytes(Vec<u8>);

impl Readable for Bytes {
    fn read(&self, offset: u64, buffer: &mut [u8]) -> BtfResult<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..)?.get(..buffer.len()))
            .ok_or_else(|| {
                BtfError::from(io::Error::new(io::ErrorKind::UnexpectedEof, "cut short"))
            })?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}
