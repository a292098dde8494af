/** The migrated database that every test file clones. */
export const TEMPLATE = 'guerdon_template';
