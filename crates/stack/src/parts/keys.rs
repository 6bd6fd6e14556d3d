//! The certificates of a broker that speaks TLS: an authority of the instance's own, made once, which
//! signs one certificate and is then forgotten. Nobody outside the instance trusts it.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::files;
use crate::manifest::Manifest;

/// What the certificate is good for: brokers listen here only.
const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// The certificate of the authority; what clients have to trust.
pub(super) fn authority_file(m: &Manifest) -> PathBuf {
    m.dir.join("kafka-ca.pem")
}

/// The broker's private key with its certificate.
pub(super) fn server_file(m: &Manifest) -> PathBuf {
    m.dir.join("kafka-server.pem")
}

/// Makes both, unless they are there.
pub(super) fn ensure(m: &Manifest) -> Result<()> {
    if authority_file(m).exists() && server_file(m).exists() {
        return Ok(());
    }
    let Made { authority, server } = make()?;
    files::write_secret(&server_file(m), server.as_bytes())?;
    files::write_secret(&authority_file(m), authority.as_bytes())
}

/// The authority's certificate, as text.
pub(crate) fn authority(m: &Manifest) -> Result<String> {
    Ok(fs::read_to_string(authority_file(m))?)
}

struct Made {
    authority: String,
    server: String,
}

fn make() -> Result<Made> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "reminder-scheduler local stack");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);

    let mut params = CertificateParams::new(HOSTS.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "kafka");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // The broker is a client of itself as well.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?.pem();
    Ok(Made { server: format!("{}{certificate}{authority}", key.serialize_pem()), authority })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_its_certificate_and_the_authority_are_made_anew_each_time() {
        let (one, other) = (make().unwrap(), make().unwrap());
        assert!(one.server.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_eq!(one.server.matches("-----BEGIN CERTIFICATE-----").count(), 2);
        assert!(one.server.ends_with(&one.authority) && !one.authority.contains("PRIVATE"));
        assert_ne!(one.server, other.server);
    }
}
