/** The name of a node among those of a site: it names the directories of its days in the ledger's archive. */
export const NODE_NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
