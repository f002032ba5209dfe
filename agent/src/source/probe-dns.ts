/** As much of DNS (RFC 1035) as a round trip needs: one question, and whether an answer is to it. Pure. */

const HEADER_BYTES = 12;
const RECURSION_DESIRED = 0x0100;
const IS_ANSWER = 0x8000;
const TYPE_A = 1;
const CLASS_IN = 1;
const CODES: Readonly<Record<number, string>> = {
  1: 'formerr',
  2: 'servfail',
  3: 'nxdomain',
  4: 'notimp',
  5: 'refused',
};

/** A query for the addresses of `name`, at most 253 characters in labels of at most 63. */
export function dnsQuery(id: number, name: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, question(name)]);
}

/** Null when it is no answer to that question; `error` when the server says that something is wrong. */
export function dnsAnswer(bytes: Buffer, id: number, name: string): { error: string | null } | null {
  const asked = question(name);
  if (bytes.length < HEADER_BYTES + asked.length || bytes.readUInt16BE(0) !== id) return null;
  const flags = bytes.readUInt16BE(2);
  if ((flags & IS_ANSWER) === 0) return null;
  const repeated = bytes.subarray(HEADER_BYTES, HEADER_BYTES + asked.length);
  // Servers may give the name back in other letters.
  if (repeated.toString('latin1').toLowerCase() !== asked.toString('latin1').toLowerCase()) return null;
  const code = flags & 0xf;
  return { error: code === 0 ? null : (CODES[code] ?? `rcode_${code}`) };
}

function question(name: string): Buffer {
  const labels = name
    .replace(/\.$/, '')
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')]));
  return Buffer.concat([...labels, Buffer.from([0, 0, TYPE_A, 0, CLASS_IN])]);
}
