/** The labels that will do, each followed by 夏季新品 ("new for summer"), as mail programs write them. */
interface Spelling {
  readonly how: string;
  /** What stands behind "Subject: "; \n begins a new line. */
  readonly subject: string;
}

interface LabelForms {
  readonly label: string;
  readonly spellings: readonly Spelling[];
}

export const LABELS: readonly LabelForms[] = [
  {
    label: "广告",
    spellings: [
      { how: "raw UTF-8", subject: "广告 夏季新品" },
      { how: "UTF-8 in base64", subject: "=?UTF-8?B?5bm/5ZGKIOWkj+Wto+aWsOWTgQ==?=" },
      {
        how: "UTF-8 quoted-printable",
        subject: "=?UTF-8?Q?=E5=B9=BF=E5=91=8A_=E5=A4=8F=E5=AD=A3=E6=96=B0=E5=93=81?=",
      },
      { how: "GB2312 in base64", subject: "=?GB2312?B?ueO45iDPxLy+0MLGtw==?=" },
      { how: "folded inside the label", subject: "=?UTF-8?B?5bm/?=\n =?UTF-8?B?5ZGKIOWkj+Wto+aWsOWTgQ==?=" },
    ],
  },
  {
    label: "AD",
    spellings: [
      { how: "raw UTF-8", subject: "AD 夏季新品" },
      { how: "UTF-8 in base64", subject: "=?UTF-8?B?QUQg5aSP5a2j5paw5ZOB?=" },
      { how: "UTF-8 quoted-printable", subject: "=?UTF-8?Q?AD_=E5=A4=8F=E5=AD=A3=E6=96=B0=E5=93=81?=" },
      { how: "GB2312 in base64", subject: "=?GB2312?B?QUQgz8S8vtDCxrc=?=" },
      { how: "folded inside the label", subject: "=?UTF-8?B?QQ==?=\n =?UTF-8?B?RCDlpI/lraPmlrDlk4E=?=" },
    ],
  },
  {
    label: "[QC 1231]",
    spellings: [
      { how: "raw UTF-8", subject: "[QC 1231] 夏季新品" },
      { how: "UTF-8 in base64", subject: "=?UTF-8?B?W1FDIDEyMzFdIOWkj+Wto+aWsOWTgQ==?=" },
      {
        how: "UTF-8 quoted-printable",
        subject: "=?UTF-8?Q?=5BQC_1231=5D_=E5=A4=8F=E5=AD=A3=E6=96=B0=E5=93=81?=",
      },
      { how: "GB2312 in base64", subject: "=?GB2312?B?W1FDIDEyMzFdIM/EvL7Qwsa3?=" },
      { how: "folded inside the label", subject: "[QC\n 1231] 夏季新品" },
    ],
  },
];
