//! The private certificate authority and the listeners' certificate.
//!
//! The authority is constrained to the names it was made for, so that a machine that trusts it
//! trusts it for nothing else (RFC 5280, section 4.2.1.10).

use super::SetupError;
use crate::clock;
use crate::folder::DataFolder;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};
use tidegate_vault::{read_private, write_private};

/// How long an authority is good for, in days.
const AUTHORITY_DAYS: i64 = 3650;
/// How long a certificate is good for, in days: nobody asks whether one was revoked, so that whoever takes its key
/// has little of it.
const CERTIFICATE_DAYS: i64 = 9;
/// A certificate is renewed when it is older than this, at a start and while the gateway runs.
const RENEW_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);

/// Makes the authority: `ca.pem` for callers to trust, `ca.key` to renew the certificate with.
///
/// # Errors
/// When a name is neither a host name nor an address, or a file cannot be written.
pub fn make_authority(folder: &DataFolder, names: &[String]) -> Result<(), SetupError> {
    let wrong = SetupError::of("certificate authority");
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(&wrong)?;
    let certificate =
        authority(&key, names)?.self_signed(&key).map_err(SetupError::of("authority"))?;
    let failed = SetupError::of("certificate authority");
    let pem = zeroize::Zeroizing::new(key.serialize_pem());
    write_private(&folder.ca_key(), pem.as_bytes()).map_err(&failed)?;
    // Not secret, but in a folder that only its owner enters.
    write_private(&folder.ca(), certificate.pem().as_bytes()).map_err(&failed)
}

/// Makes the listeners' key and certificate, signed by the authority in the folder, for `localhost`,
/// the loopback addresses, this machine's name and `names`.
///
/// # Errors
/// When the authority's key cannot be read, a name is none, or a file cannot be written.
pub fn make_certificate(folder: &DataFolder, names: &[String]) -> Result<(), SetupError> {
    let failed = SetupError::of("certificate");
    let wrong = SetupError::of("certificate");
    let authority_key = authority_key(folder)?;
    let issuer = Issuer::new(authority(&authority_key, names)?, authority_key);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(&wrong)?;
    let mut params = base("Tidegate", CERTIFICATE_DAYS)?;
    params.subject_alt_names = subjects(names)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer).map_err(&wrong)?;
    let pem = zeroize::Zeroizing::new(key.serialize_pem());
    write_private(&folder.tls_key(), pem.as_bytes()).map_err(&failed)?;
    write_private(&folder.chain(), certificate.pem().as_bytes()).map_err(&failed)
}

/// Makes the certificate anew when it is due; whether it was. Callers go on trusting the same
/// authority, and so only the names that it was made for. A certificate of somebody else's stays: who
/// put it there renews it.
///
/// # Errors
/// As `make_certificate`.
pub fn renew_certificate(folder: &DataFolder, names: &[String]) -> Result<bool, SetupError> {
    let made = std::fs::metadata(folder.chain()).and_then(|metadata| metadata.modified());
    let made = made.map_err(SetupError::of(&folder.chain().display().to_string()))?;
    let age = SystemTime::UNIX_EPOCH + Duration::from_micros(clock::now().micros());
    if age.duration_since(made).unwrap_or_default() < RENEW_AFTER || !is_ours(folder)? {
        return Ok(false);
    }
    make_certificate(folder, names).map(|()| true)
}

fn authority_key(folder: &DataFolder) -> Result<KeyPair, SetupError> {
    let wrong = SetupError::of("authority's key");
    let pem = read_private(&folder.ca_key()).map_err(&wrong)?;
    let pem = std::str::from_utf8(pem.expose()).map_err(SetupError::of("authority's key"))?;
    KeyPair::from_pem(pem).map_err(SetupError::of("authority's key"))
}

/// Whether the listeners' certificate is one that our authority signed: it names who issued it.
fn is_ours(folder: &DataFolder) -> Result<bool, SetupError> {
    let own = CertificateDer::from_pem_file(folder.chain());
    let own = own.map_err(SetupError::of(&folder.chain().display().to_string()))?;
    // Where the operator's own authority is, its key need not be.
    let Ok(key) = authority_key(folder) else { return Ok(false) };
    let issuer = name_of(&key);
    Ok(own.windows(issuer.len()).any(|part| part == issuer.as_bytes()))
}

/// The authority's name. It comes from its key, so that two authorities are never mistaken for each
/// other and the same one is named alike when it signs again.
fn name_of(key: &KeyPair) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.der_bytes());
    let short: String = digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("Tidegate private authority {short}")
}

/// The authority's certificate.
fn authority(key: &KeyPair, names: &[String]) -> Result<CertificateParams, SetupError> {
    let mut params = base(&name_of(key), AUTHORITY_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let permitted_subtrees = subjects(names)?
        .into_iter()
        .filter_map(|subject| match subject {
            SanType::DnsName(name) => Some(GeneralSubtree::DnsName(name.to_string())),
            SanType::IpAddress(IpAddr::V4(ip)) => {
                Some(GeneralSubtree::IpAddress(CidrSubnet::V4(ip.octets(), [255; 4])))
            }
            SanType::IpAddress(IpAddr::V6(ip)) => {
                Some(GeneralSubtree::IpAddress(CidrSubnet::V6(ip.octets(), [255; 16])))
            }
            _ => None,
        })
        .collect();
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
    Ok(params)
}

fn base(common_name: &str, days: i64) -> Result<CertificateParams, SetupError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // From yesterday, for callers whose clocks are behind.
    let ((year, month, day), (last_year, last_month, last_day)) = (date(-1)?, date(days)?);
    params.not_before = rcgen::date_time_ymd(year, month, day);
    params.not_after = rcgen::date_time_ymd(last_year, last_month, last_day);
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(SetupError::of("random bytes"))?;
    // Positive, and of full length.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

/// Every name and address that the listeners are reached by.
fn subjects(names: &[String]) -> Result<Vec<SanType>, SetupError> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.map(|name| name.trim().to_owned()).filter(|name| is_host_name(name));
    let fixed = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut all: Vec<String> = fixed.into_iter().chain(host).chain(names.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all.into_iter()
        .map(|name| match name.parse::<IpAddr>() {
            Ok(address) => Ok(SanType::IpAddress(address)),
            Err(_) if is_host_name(&name) => {
                name.try_into().map(SanType::DnsName).map_err(SetupError::of("host name"))
            }
            Err(_) => Err(SetupError(format!(
                "listen.names: `{name}` is neither a host name nor an address"
            ))),
        })
        .collect()
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Year, month and day, so many days from today.
fn date(offset: i64) -> Result<(i32, u8, u8), SetupError> {
    let micros = i64::try_from(clock::now().micros()).map_err(SetupError::of("clock"))?;
    let date = jiff::Timestamp::from_microsecond(micros)
        .map_err(SetupError::of("clock"))?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .checked_add(jiff::Span::new().days(offset))
        .map_err(SetupError::of("clock"))?;
    let part = |number: i8| u8::try_from(number).map_err(SetupError::of("clock"));
    Ok((i32::from(date.year()), part(date.month())?, part(date.day())?))
}
