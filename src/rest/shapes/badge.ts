/** A picture, as the admin API has it. */
export interface Badge {
  url: string;
}

/** As the core takes one; null takes it away. */
export function badgeOf(badge: Badge | null | undefined): { badgeUrl?: string } {
  return badge === undefined ? {} : { badgeUrl: badge?.url ?? '' };
}

export function badgeShape(url = ''): Badge | null {
  return url === '' ? null : { url };
}

/** As the application API has it. */
export function badgeUrlShape(url = ''): string | null {
  return url === '' ? null : url;
}
