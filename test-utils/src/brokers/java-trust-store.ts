/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Fixed by the format, for stores that are protected by nothing but their public default password. */
const PASSWORD = 'changeit';
const SALT = 'Mighty Aphrodite';
const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;

/**
 * The certificate authorities that Node trusts, `NODE_EXTRA_CA_CERTS` included, as a Java key store. An installed Java gets
 * one from scripts that run at its installation; an unpacked one has none and could fetch nothing.
 */
export function trustStore(): Buffer {
  const extra = process.env['NODE_EXTRA_CA_CERTS'];
  const certificates = [...rootCertificates, ...(extra ? pemBlocks(readFileSync(extra, 'utf8')) : [])];
  const entries = certificates.map((pem, i) => entry(`authority-${i}`, new X509Certificate(pem).raw));
  const content = Buffer.concat([int(MAGIC), int(VERSION), int(entries.length), ...entries]);
  const password = Buffer.from(PASSWORD, 'utf16le').swap16();
  return Buffer.concat([content, createHash('sha1').update(password).update(SALT).update(content).digest()]);
}

const pemBlocks = (text: string) => text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

function entry(alias: string, certificate: Buffer): Buffer {
  const made = Buffer.alloc(8); // no date
  return Buffer.concat([
    int(TRUSTED_CERTIFICATE),
    text(alias),
    made,
    text('X.509'),
    int(certificate.length),
    certificate,
  ]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value, 'latin1')]);
}
