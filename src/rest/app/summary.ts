import { Aggregation } from '../../gen/guerdon/v1/points_service_pb.ts';

export interface SummaryQuery {
  aggregation: 'daily' | 'weekly' | 'monthly';
  startDate: string;
  endDate: string;
}

const AGGREGATION: Record<SummaryQuery['aggregation'], Aggregation> = {
  daily: Aggregation.DAILY,
  weekly: Aggregation.WEEKLY,
  monthly: Aggregation.MONTHLY,
};

/** A summary as the core is asked for one: of days in the user's zone. */
export function summaryRequest({ aggregation, startDate, endDate }: SummaryQuery) {
  return { aggregation: AGGREGATION[aggregation], startDate, endDate, tz: '' };
}
