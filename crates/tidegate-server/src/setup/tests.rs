use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::sync::Arc;
use tempfile::TempDir;

fn made(unlock: InitUnlock) -> (TempDir, Opened) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.listen.names = vec!["gate.desk.example".to_owned(), "192.0.2.7".to_owned()];
    let opened =
        init(&folder.path().join("data"), InitOptions { config, unlock, first_admin: None })
            .unwrap();
    (folder, opened)
}

#[test]
fn makes_a_folder_that_only_its_owner_enters() {
    let (_folder, Opened { folder, config }) = made(InitUnlock::KeyFile);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    let mut entries = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        entries += 1;
    }
    assert!(entries >= 9, "{entries}");
    let opened = open(folder.path()).unwrap();
    assert_eq!(opened.config.to_toml().unwrap(), config.to_toml().unwrap());
    let unlock = unlock(&folder, None).unwrap();
    assert!(VenueKeys::open(&folder.vault(), &unlock).unwrap().list().unwrap().is_empty());
    assert!(CheckpointKey::load(&folder.checkpoint_key()).is_ok());
    assert!(matches!(signer_config(&folder, None).unwrap().unlock, UnlockSource::KeyFile(_)));
}

#[test]
fn makes_nothing_over_a_folder_that_is_in_use() {
    let (_folder, Opened { folder, config }) = made(InitUnlock::KeyFile);
    let before = std::fs::read(folder.vault()).unwrap();
    let again =
        init(folder.path(), InitOptions { config, unlock: InitUnlock::KeyFile, first_admin: None });
    assert!(again.unwrap_err().0.contains("already"));
    assert_eq!(std::fs::read(folder.vault()).unwrap(), before);
}

#[test]
fn a_passphrase_leaves_no_key_file() {
    let line = || Secret::new(b"correct horse\n".to_vec());
    let (_folder, Opened { folder, .. }) = made(InitUnlock::Passphrase(line()));
    assert!(!folder.vault_key().exists());
    assert!(signer_config(&folder, None).is_err() && unlock(&folder, None).is_err());
    let unlock = unlock(&folder, Some(&line())).unwrap();
    let vault = VenueKeys::open(&folder.vault(), &unlock).unwrap();
    CallerSecrets::open(&folder.callers(), vault.callers_key().unwrap()).unwrap();
}

#[test]
fn opens_no_folder_that_others_may_enter() {
    let (_folder, Opened { folder, .. }) = made(InitUnlock::KeyFile);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o750)).unwrap();
    assert!(open(folder.path()).unwrap_err().0.contains("chmod 700"));
    assert!(open(&folder.path().join("nowhere")).unwrap_err().0.contains("tidegate init"));
}

#[test]
fn refuses_names_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a b", "-a", "*.example", "", "a..b", "../b", "a/b"] {
        let data = DataFolder::new(folder.path());
        assert!(make_authority(&data, &[name.to_owned()]).is_err(), "{name:?}");
    }
}

#[test]
fn a_certificate_is_renewed_when_it_is_old() {
    let (_folder, Opened { folder, config }) = made(InitUnlock::KeyFile);
    let before = std::fs::read(folder.chain()).unwrap();
    assert!(!renew_certificate(&folder, &config.listen.names).unwrap());
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600 + 60);
    std::fs::File::options().write(true).open(folder.chain()).unwrap().set_modified(old).unwrap();
    open(folder.path()).unwrap();
    assert_ne!(std::fs::read(folder.chain()).unwrap(), before);
    for name in ["localhost", "127.0.0.1", "::1", "gate.desk.example", "192.0.2.7"] {
        shake_hands(&folder, name).unwrap();
    }
}

#[test]
fn a_certificate_that_the_operator_put_there_is_left_alone() {
    let (_folder, Opened { folder, config }) = made(InitUnlock::KeyFile);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["desk.example".to_owned()]).unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    std::fs::write(folder.chain(), &own).unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600 + 60);
    std::fs::File::options().write(true).open(folder.chain()).unwrap().set_modified(old).unwrap();
    let before = std::fs::read(folder.tls_key()).unwrap();
    assert!(!renew_certificate(&folder, &config.listen.names).unwrap());
    assert_eq!(std::fs::read_to_string(folder.chain()).unwrap(), own);
    assert_eq!(std::fs::read(folder.tls_key()).unwrap(), before);
}

#[test]
fn its_certificate_is_good_for_its_names_alone() {
    let (_folder, Opened { folder, .. }) = made(InitUnlock::KeyFile);
    for name in ["localhost", "127.0.0.1", "::1", "gate.desk.example", "192.0.2.7"] {
        shake_hands(&folder, name).unwrap();
    }
    for name in ["fapi.binance.com", "192.0.2.8", "example"] {
        assert!(shake_hands(&folder, name).is_err(), "{name}");
    }
}

/// Who gets hold of the authority's key still cannot stand in for the rest of the world.
#[test]
fn the_authority_vouches_for_nobody_else() {
    let (_folder, Opened { folder, .. }) = made(InitUnlock::KeyFile);
    let pem = std::fs::read_to_string(folder.ca_key()).unwrap();
    let ca_key = rcgen::KeyPair::from_pem(&pem).unwrap();
    let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let mut issuer_params = params.clone();
    issuer_params.distinguished_name = {
        let digest = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            rcgen::PublicKeyData::der_bytes(&ca_key),
        );
        let short: String = digest.as_ref()[..4].iter().map(|b| format!("{b:02x}")).collect();
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::CommonName, format!("Tidegate private authority {short}"));
        name
    };
    let issuer = rcgen::Issuer::new(issuer_params, ca_key);
    for (name, good) in [("localhost", true), ("fapi.binance.com", false), ("192.0.2.8", false)] {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.chain(), certificate.pem()).unwrap();
        std::fs::write(folder.tls_key(), key.serialize_pem()).unwrap();
        assert_eq!(shake_hands(&folder, name).is_ok(), good, "{name}");
    }
}

/// A TLS handshake in memory between the folder's listener and a caller that trusts its authority.
fn shake_hands(folder: &DataFolder, name: &str) -> Result<(), rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(folder.chain()).unwrap().map(Result::unwrap).collect();
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(folder.tls_key()).unwrap())
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.ca()).unwrap()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name)?;
    let mut server = rustls::ServerConnection::new(Arc::new(server))?;
    while client.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
        }
        server.process_new_packets()?;
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
        }
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn no_two_folders_share_a_secret() {
    let ((_one, one), (_two, two)) = (made(InitUnlock::KeyFile), made(InitUnlock::KeyFile));
    let secrets = |opened: &Opened| {
        let folder = &opened.folder;
        [
            folder.vault_key(),
            folder.admin_token(),
            folder.tls_key(),
            folder.checkpoint_key(),
            folder.ca(),
        ]
        .map(|path| std::fs::read(path).unwrap())
    };
    for (one, two) in secrets(&one).iter().zip(&secrets(&two)) {
        assert!(one.len() >= 32 && one != two);
    }
}

#[test]
fn a_certificate_of_another_authority_s_is_left_alone() {
    let (_folder, Opened { folder, config }) = made(InitUnlock::KeyFile);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["gate.desk.example".to_owned()]).unwrap();
    let own = own.self_signed(&key).unwrap().pem();
    std::fs::write(folder.chain(), &own).unwrap();
    std::fs::write(folder.tls_key(), key.serialize_pem()).unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600 + 60);
    std::fs::File::options().write(true).open(folder.chain()).unwrap().set_modified(old).unwrap();
    assert!(!renew_certificate(&folder, &config.listen.names).unwrap());
    assert_eq!(std::fs::read_to_string(folder.chain()).unwrap(), own);
}
