//! A port that leads to that of a real part: closed until it is opened, for a part that is not
//! there yet; and watching what passes, for a test that must know how far the service is.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// A reserved port. It is bound, so nobody else takes it, but does not listen.
pub(crate) struct ClosedPort {
    socket: TcpSocket,
    pub(crate) port: u16,
}

/// The port once it is open; closed again when dropped.
pub(crate) struct OpenPort {
    _server: AbortOnDropHandle<()>,
    passed: watch::Receiver<usize>,
}

impl ClosedPort {
    pub(crate) fn new() -> Self {
        Self::at(0)
    }

    /// The port that was open before, or any, for 0.
    pub(crate) fn at(port: u16) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        let port = socket.local_addr().unwrap().port();
        Self { socket, port }
    }

    /// From now on connections lead to that port.
    pub(crate) fn open(self, target: u16) -> OpenPort {
        self.open_watching(target, "")
    }

    /// The same; it counts how often that text passes on its way to the part.
    pub(crate) fn open_watching(self, target: u16, text: &str) -> OpenPort {
        let listener = self.socket.listen(64).unwrap();
        let (counter, passed) = watch::channel(0);
        let server = serve(listener, target, text.as_bytes().to_vec(), counter);
        OpenPort { _server: AbortOnDropHandle::new(tokio::spawn(server)), passed }
    }
}

impl OpenPort {
    /// How often the text has passed.
    pub(crate) fn passed(&self) -> usize {
        *self.passed.borrow()
    }
}

async fn serve(listener: TcpListener, target: u16, text: Vec<u8>, counter: watch::Sender<usize>) {
    let mut connections = JoinSet::new();
    while let Ok((inner, _)) = listener.accept().await {
        let (text, counter) = (text.clone(), counter.clone());
        connections.spawn(async move {
            let Ok(outer) = TcpStream::connect(("127.0.0.1", target)).await else { return };
            let (from_service, mut to_service) = inner.into_split();
            let (mut from_part, to_part) = outer.into_split();
            // Whichever end closes first closes both.
            tokio::select! {
                _ = watching(from_service, to_part, &text, &counter) => {}
                _ = copy(&mut from_part, &mut to_service) => {}
            }
        });
    }
}

async fn watching(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    text: &[u8],
    counter: &watch::Sender<usize>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut end_of_last = Vec::new();
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read]).await?;
        if !text.is_empty() {
            // The text may lie across two reads.
            end_of_last.extend_from_slice(&buffer[..read]);
            let found = end_of_last.windows(text.len()).filter(|window| *window == text).count();
            counter.send_modify(|count| *count += found);
            let keep = end_of_last.len().min(text.len() - 1);
            end_of_last.drain(..end_of_last.len() - keep);
        }
    }
}
