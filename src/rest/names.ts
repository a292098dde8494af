/** Fields that have another name in the contract than the proto's in camel case. */
const NAMES: Readonly<Record<string, string>> = {
  metric_key: 'key',
  system_key: 'key',
  idempotency_key: 'Idempotency-Key',
  'metric.metric_key': 'metricId',
  'metric.threshold': 'metricThreshold',
  'metric.event_attributes': 'eventAttributes',
  'streak.length': 'streakLength',
  'time.every': 'timeInterval',
  'achievement.achievement_key': 'achievementId',
  achievement_key: 'key',
  on_floor: 'blockIfOutOfPoints',
};

/** A field of the proto as the contract names it. */
export function contractName(field: string): string {
  return NAMES[field] ?? field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A text about fields of the proto, about those of the contract. */
export function contractText(text: string): string {
  return text.replace(/\b(start_date|end_date|start_time|end_time|user_id|user_attributes)\b/g, contractName);
}

const CALLS: Readonly<Record<string, string>> = {
  CreateUser: 'POST /users',
  IdentifyUser: 'PUT /users/{id}',
  UpdateUser: 'PATCH /users/{id}',
};

/** A text that names RPCs, with the calls of the contract. */
export function contractCalls(text: string): string {
  return text.replace(/\b(CreateUser|IdentifyUser|UpdateUser)\b/g, (name) => CALLS[name] as string);
}
