//! Two machines beside this one, as network namespaces (ip-netns(8)): the server's, which this one reaches too, and the connector's,
//! which has nothing but a cable to the server's. The cable can be pulled.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// How many were made by this process.
static MADE: AtomicUsize = AtomicUsize::new(0);
/// The server's end of the cable to the connector.
const CABLE: &str = "cable";
const PORT: u16 = 8080;

/// The machines; gone when it is dropped, with whatever runs there killed before.
pub(crate) struct Network {
    name: String,
    /// The first of eight addresses: four for each cable.
    net: Ipv4Addr,
}

impl Network {
    /// Sets both up, and the cables.
    pub(crate) fn lay() -> Self {
        remove_left_over();
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let place = (std::process::id().wrapping_mul(4) + u32::try_from(number).expect("a few")) % (1 << 14);
        // for tests of networks (RFC 2544, appendix C.2.2)
        let net = Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + place * 8);
        let network = Self { name: format!("sightline-{}-{number}", std::process::id()), net };
        let (server, connector) = (network.server(), network.connector());
        let uplink = format!("sl{}-{number}", std::process::id());
        for step in [
            format!("netns add {server}"),
            format!("netns add {connector}"),
            format!("link add {uplink} type veth peer name uplink netns {server}"),
            format!("address add {}/30 dev {uplink}", network.address(1)),
            format!("link set {uplink} up"),
            format!("-n {server} address add {}/30 dev uplink", network.address(2)),
            format!("-n {server} link set uplink up"),
            format!("-n {server} link set lo up"),
            format!("-n {server} link add {CABLE} type veth peer name eth0 netns {connector}"),
            format!("-n {server} address add {}/30 dev {CABLE}", network.address(5)),
            format!("-n {server} link set {CABLE} up"),
            format!("-n {connector} address add {}/30 dev eth0", network.address(6)),
            format!("-n {connector} link set eth0 up"),
            format!("-n {connector} route add default via {}", network.address(5)),
        ] {
            ip(&step);
        }
        network
    }

    fn address(&self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.net.to_bits() + number)
    }

    /// The namespace of the server.
    pub(crate) fn server(&self) -> String {
        format!("{}-server", self.name)
    }

    /// The namespace of the connector.
    pub(crate) fn connector(&self) -> String {
        format!("{}-connector", self.name)
    }

    /// Where the server listens.
    pub(crate) fn server_address(&self) -> String {
        format!("{}:{PORT}", self.address(2))
    }

    /// Pulls the cable: what is on its way is lost, and neither end hears of the other.
    pub(crate) fn pull(&self) {
        ip(&format!("-n {} link set {CABLE} down", self.server()));
    }

    /// Puts it in again.
    pub(crate) fn plug(&self) {
        ip(&format!("-n {} link set {CABLE} up", self.server()));
    }

    /// Listens on the server's machine at the end of the cable.
    pub(crate) fn listen_at_server(&self) -> TcpListener {
        let namespace = std::fs::File::open(format!("/run/netns/{}", self.server())).expect("it was made");
        let address = self.address(5);
        // a thread of its own: it never comes back
        let listening = std::thread::spawn(move || -> std::io::Result<TcpListener> {
            use std::os::fd::AsFd;
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            TcpListener::bind((address, 0))
        });
        listening.join().expect("no panic").expect("a free port on the server's machine")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for namespace in [self.server(), self.connector()] {
            remove(&namespace);
        }
    }
}

/// The same command on another machine; its process is the command's own.
pub(crate) fn within(namespace: &str, command: &Command) -> Command {
    let mut within = Command::new("ip");
    within.args(["netns", "exec", namespace]).arg(command.get_program()).args(command.get_args());
    within
}

fn ip(arguments: &str) {
    const NEEDED: &str = "Tests that pull a network cable need network namespaces: run them as root (CAP_SYS_ADMIN and CAP_NET_ADMIN; \
                          of a container: --privileged), with iproute2 installed (scripts/need test).";
    match Command::new("ip").args(arguments.split(' ')).output() {
        Ok(done) if done.status.success() => {}
        Ok(done) => panic!("{NEEDED}\nip {arguments}: {}", String::from_utf8_lossy(&done.stderr)),
        Err(error) => panic!("{NEEDED}\nip cannot be started: {error}"),
    }
}

/// With its end of each cable, and so with the cables.
fn remove(namespace: &str) {
    let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
}

/// What tests left that were killed.
fn remove_left_over() {
    let names = std::fs::read_dir("/run/netns").into_iter().flatten().flatten();
    for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
        let process = name.strip_prefix("sightline-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if process.is_some_and(|id| !std::path::Path::new(&format!("/proc/{id}")).exists()) {
            remove(&name);
        }
    }
}
