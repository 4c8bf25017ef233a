import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/**
 * Trusts the certificates of SSL_CERT_FILE beside those that Node trusts, as curl and Python do; Node itself reads
 * NODE_EXTRA_CA_CERTS, and only when something needs it; here the certificates of all authorities are read, which takes 30 ms.
 */
export function trustOwnCertificates(variables: Readonly<Record<string, string | undefined>>): void {
  const file = variables['SSL_CERT_FILE'];
  if (file === undefined || file === '' || file === variables['NODE_EXTRA_CA_CERTS']) return;
  try {
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(file, 'utf8')]);
  } catch (error) {
    // As OpenSSL does: calls that need them fail, and say so.
    const reason = error instanceof Error ? error.message : String(error);
    process.emitWarning(`expected certificates in SSL_CERT_FILE, got: ${reason}`);
  }
}
