import { openJournal } from "../../../src/stores/hourlog/journal.ts";
import { journalContract } from "../../contract/journal.ts";
import { tempDir } from "../../helpers/temp.ts";

journalContract("the journal of hour files", () => openJournal(tempDir()));
