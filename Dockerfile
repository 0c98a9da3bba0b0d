# syntax=docker/dockerfile:1

# Builds dist/: one file with everything that the service needs.
FROM cgr.dev/chainguard/node:latest-dev AS build
WORKDIR /app
COPY --chown=65532:65532 package.json package-lock.json ./
# The build runs on the base image's Node, not on the one that the lockfile brings to a checkout. It can't be left out by
# --omit=optional, for the bundler's own binary is optional too.
RUN npm ci --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-* node_modules/.bin/node
COPY --chown=65532:65532 . .
# The repository itself stays outside, so the build is told what it is of. README.md has the command.
ARG VCS_REVISION
ARG VCS_TIME
ARG VCS_MODIFIED
RUN npm run build

# Runs it: no shell, no package manager, not root, and the base image's own Node.
FROM cgr.dev/chainguard/node:latest
WORKDIR /app
COPY --from=build /app/dist/ ./
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 8080 50051 9090
ENTRYPOINT ["/usr/bin/node", "--enable-source-maps", "/app/greeter.cjs"]
CMD ["serve"]
