# Runs alone: without DATABASE_URL it starts its own PostgreSQL in /data.
#
#   docker build -t guerdon .
#   docker run -p 127.0.0.1:8080:8080 -p 127.0.0.1:50051:50051 -v guerdon:/data guerdon
FROM node:24-bookworm-slim

ENV NODE_ENV=production \
    GUERDON_DATA_DIR=/data \
    GUERDON_HOST=0.0.0.0
WORKDIR /app

# The Node that npm scripts use elsewhere is left out: the image has its own.
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund \
  && rm -rf node_modules/node-linux-* node_modules/.bin/node \
  && npm cache clean --force

COPY . .
RUN install -d -o node -g node -m 0700 /data
USER node
VOLUME /data
EXPOSE 8080 50051

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.GUERDON_HTTP_PORT ?? 8080}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=4", "--no-allocation-site-pretenuring", "src/main.ts"]
