//! One datagram to the service manager's socket, as `sd_notify(3)` sends it: Node has no Unix datagrams of its own.

use std::os::unix::net::UnixDatagram;

use napi::bindgen_prelude::{Error, Result, Status};
use napi_derive::napi;

/// Sends `text` to the socket at `path`; one that begins with `@` is in the abstract namespace (Linux).
fn send(path: &str, text: &str) -> std::io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not stop us.
    socket.set_nonblocking(true)?;
    #[cfg(target_os = "linux")]
    if let Some(name) = path.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(text.as_bytes(), &address).map(|_| ());
    }
    socket.send_to(text.as_bytes(), path).map(|_| ())
}

/// Tells the service manager how this process is doing: `text` goes as one datagram to the Unix socket at
/// `path` (`$NOTIFY_SOCKET`; a leading `@` means the abstract namespace). Throws when it cannot be sent.
#[napi(catch_unwind)]
pub fn notify_service(path: String, text: String) -> Result<()> {
    send(&path, &text).map_err(|error| Error::new(Status::GenericFailure, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_arrives_at_a_path_and_in_the_abstract_namespace() {
        let name = format!("lineheron-notify-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let listener = UnixDatagram::bind(&path).expect("a socket");
        send(path.to_str().expect("a path"), "READY=1").expect("sent");
        let mut buffer = [0; 64];
        let length = listener.recv(&mut buffer).expect("received");
        assert_eq!(&buffer[..length], b"READY=1");
        std::fs::remove_file(&path).expect("removed");
        assert!(send(path.to_str().expect("a path"), "READY=1").is_err());
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).expect("a name");
            let listener = UnixDatagram::bind_addr(&address).expect("a socket");
            send(&format!("@{name}"), "WATCHDOG=1").expect("sent");
            let length = listener.recv(&mut buffer).expect("received");
            assert_eq!(&buffer[..length], b"WATCHDOG=1");
        }
    }
}
