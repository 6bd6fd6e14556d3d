//! A part that is not there yet: a port that refuses connections until it is opened, and then
//! leads to the real one.

use std::net::SocketAddr;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A reserved port. It is bound, so nobody else takes it, but does not listen.
pub(crate) struct ClosedPort {
    socket: TcpSocket,
    pub(crate) port: u16,
}

/// The port once it is open; closed again when dropped.
pub(crate) struct OpenPort(AbortHandle);

impl ClosedPort {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let port = socket.local_addr().unwrap().port();
        Self { socket, port }
    }

    /// From now on connections lead to that port.
    pub(crate) fn open(self, target: u16) -> OpenPort {
        let listener = self.socket.listen(64).unwrap();
        OpenPort(tokio::spawn(serve(listener, target)).abort_handle())
    }
}

impl Drop for OpenPort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn serve(listener: TcpListener, target: u16) {
    let mut connections = JoinSet::new();
    while let Ok((mut inner, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut outer) = TcpStream::connect(("127.0.0.1", target)).await {
                copy_bidirectional(&mut inner, &mut outer).await.ok();
            }
        });
    }
}
