import { hash, randomUUID } from 'node:crypto';

/** A fresh random id. */
export function newId(): string {
  return randomUUID();
}

/** Hex SHA-256 of a text or of raw bytes. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data);
}

/** The bytes of the SHA-256 of a text. By way of a string: making a Buffer of its own takes longer than the hash. */
export function sha256Bytes(text: string): Buffer {
  return Buffer.from(hash('sha256', text), 'hex');
}

/**
 * A UUID-shaped id that is the same for the same parts: what is derived twice (after a crash, on
 * another replica) is recognised as one.
 */
export function derivedId(...parts: readonly string[]): string {
  const hex = sha256(JSON.stringify(parts));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
