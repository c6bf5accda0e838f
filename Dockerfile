# The base is pinned by its tag. To pin the digest as well, look it up and hand it in:
#   docker buildx imagetools inspect node:24-slim
#   docker build --build-arg NODE_IMAGE=node:24-slim@sha256:<digest> -t lynceus:0.1.0 .
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts of packages are the usual way in for a stolen package; nothing here needs one.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev

FROM ${NODE_IMAGE}
# The local Git host runs git; certificates let it speak https. Package managers have no work at run time.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx \
      /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-* \
 && install --directory --owner 65532 --group 65532 --mode 0700 /data
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The root file system may be read-only: what is written goes to /data (store, clones) and /tmp.
ENV NODE_ENV=production \
    LYNCEUS_DATA_DIR=/data \
    HOME=/tmp
VOLUME /data
USER 65532:65532
EXPOSE 8080
# Kubernetes asks /healthz and /readyz itself.
HEALTHCHECK NONE
# A young generation of 24 MB: of its own accord V8 takes three times as much at the start, and never gives it back.
ENTRYPOINT ["node", "--max-semi-space-size=8", "dist/main.js"]
CMD ["serve"]
