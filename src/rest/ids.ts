import { createHash } from 'node:crypto';
import { v5 } from 'uuid';

// The contract names everything by UUIDs. What has an internal number gets one that carries kind and number (version 8,
// RFC 9562); what has neither UUID nor number gets one made of its names (version 5).

const KINDS = ['metric', 'points_system', 'attribute', 'application_key'] as const;
export type Kind = (typeof KINDS)[number];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Of the names that version 5 is made of. */
const NAMESPACE = '6b1a3a52-6c0f-5d3e-9a9b-0f6f1c6e7d10';

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Six bytes of checksum; version and kind; variant and seven bytes of number. */
export function idOf(kind: Kind, number: string): string {
  const hex = BigInt(number).toString(16).padStart(14, '0');
  const version = `80${(KINDS.indexOf(kind) + 1).toString(16).padStart(2, '0')}`;
  const sum = checksum(kind, number);
  return `${sum.slice(0, 8)}-${sum.slice(8)}-${version}-80${hex.slice(0, 2)}-${hex.slice(2)}`;
}

/** The number in an id of this kind; undefined: it is none. */
export function numberOf(kind: Kind, id: string): string | undefined {
  const hex = id.toLowerCase().replaceAll('-', '');
  if (!isUuid(id)) return undefined;
  const number = BigInt(`0x${hex.slice(18)}`).toString();
  return idOf(kind, number).replaceAll('-', '') === hex ? number : undefined;
}

function checksum(kind: Kind, number: string): string {
  return createHash('sha256').update(`${kind} ${number}`).digest('hex').slice(0, 12);
}

export function levelId(systemId: string, key: string): string {
  return v5(`level ${systemId} ${key}`, NAMESPACE);
}

/** Of the award that a trigger gave a user for an event; no event: for becoming known. */
export function awardId(projectId: string, user: string, award: { triggerId: string; eventId: string }): string {
  return v5(`award ${projectId} ${award.triggerId} ${award.eventId} ${user}`, NAMESPACE);
}

/** The instant in a time-ordered UUID, when it was made. */
export function madeAt(uuid: string): Date {
  return new Date(Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16));
}
