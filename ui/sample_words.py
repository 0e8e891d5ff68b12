"""The texts of the sample screens in two languages; the office and its services are invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The same texts in one language, looked up by their Chinese original."""

    locale: str
    table: dict[str, str]

    def __call__(self, chinese: str) -> str:
        return self.table[chinese] if self.table else chinese


CHINESE = Words("zh-CN", {})
ENGLISH = Words(
    "en",
    {
        "市民自助服务": "Resident Self-Service",
        "江城市政务服务大厅 · 3 号机 · 周六 09:42": "Jiangcheng Service Hall · No. 3 · Sat 09:42",
        "大字版": "Large",
        "语音": "Voice",
        "中文": "中文",
        "求助": "Help",
        "咨询电话": "Questions? Call",
        "设备正常": "Devices ready",
        "网络正常": "Online",
        "网络中断，可办部分业务": "Offline: some services only",
        "返回": "Back",
        "退出": "Leave",
        "求助工作人员": "Call staff",
        "无操作": "You will be signed out in",
        "秒后退出": "seconds",
        "剩余": "Time left:",
        "秒": "seconds",
        "办完退出": "Finish",
        "打印证明": "Print certificate",
        "欢迎使用自助服务": "Welcome to self-service",
        "查询、打印、办理，都可以在这里完成": "Look up, print and apply, all in one place",
        "轻触屏幕开始": "Touch to start",
        "11 月 21 日 星期六": "Saturday 21 November",
        "您好，请选择要办的事": "Hello, what would you like to do?",
        "办事请备好市民卡、手机二维码或居民身份证": (
            "Please have your resident card, phone code or identity card at hand"
        ),
        "账户查询一件事": "Everything about my accounts",
        "缴存、支取、补贴、年度账单，一次看全": "Deposits, withdrawals, subsidies, yearly bill",
        "资格确认": "Confirm entitlement",
        "刷脸办理 · 约 1 分钟": "By face · about 1 minute",
        "证明打印": "Print certificates",
        "缴存证明 · 年度记录": "Deposits · yearly record",
        "卡片服务": "Card services",
        "状态 · 密码 · 挂失": "Status · PIN · report loss",
        "待遇测算": "Estimate benefits",
        "开始时间 · 金额": "Start date · amount",
        "关系转移": "Move accounts",
        "申请 · 进度": "Apply · progress",
        "预约与办件": "Appointments",
        "预约窗口 · 查进度": "Book a counter · progress",
        "打印机缺纸，暂停打印": "Printer is out of paper, printing is paused",
        "办事指南": "Guides",
        "证明验真": "Verify a document",
        "意见投诉": "Feedback",
        "常见问题": "Questions",
        "确认身份": "Identify",
        "查看结果": "Results",
        "打印 / 完成": "Print / finish",
        "请出示一种身份凭证": "Please show one kind of identification",
        "任选一种，机器会自动识别": "Any one will do; the machine notices by itself",
        "插入市民卡": "Insert your card",
        "芯片朝前、正面向上，插到底": "Chip first, face up, all the way in",
        "办理期间请勿拔卡": "Please leave it in until you are done",
        "扫手机二维码": "Scan a phone code",
        "打开手机里的电子卡二维码": "Open the code of your electronic card",
        "对准右侧扫码窗，距离 10–20 厘米": "Hold it 10–20 cm before the window at the right",
        "放置居民身份证": "Place your identity card",
        "平放在感应区，听到提示音后拿起": "Flat on the reader until you hear the tone",
        "请在密码键盘上输入卡密码": "Enter the card PIN on the keypad",
        "请用手遮挡；屏幕不显示数字，键盘输入不会被记录": (
            "Cover it with your hand; digits are neither shown nor recorded"
        ),
        "上次密码不正确，还可输入 2 次": "The last PIN was wrong, 2 tries left",
        "连续输错后卡密码将被锁定，可持身份证到窗口重置": (
            "After that the card locks; a counter can reset it with your identity card"
        ),
        "密码键盘在屏幕右下方": "The keypad is below, at the right",
        "黄色键清除，绿色键确认": "Yellow clears, green confirms",
        "忘记密码？按“求助工作人员”": "Forgotten it? Press “Call staff”",
        "王*芳，您好": "Hello, 王*芳",
        "个人账号 429***********0022": "Account 429***********0022",
        "卡状态正常": "Card active",
        "显示完整信息": "Show in full",
        "基本账户": "Basic account",
        "累计缴存（月）": "Months paid",
        "账户余额": "Balance",
        "预计领取": "Payable from",
        "近 12 个月：10 个月已到账，2 个月处理中": "Last 12 months: 10 received, 2 pending",
        "失业账户": "Job-loss account",
        "正常缴存": "Paying in",
        "累计 152 个月": "152 months in total",
        "工伤账户": "Accident account",
        "单位：江城精工有限公司": "Employer: Jiangcheng Precision Ltd",
        "补充账户": "Supplementary account",
        "截至 2026-10": "As of 2026-10",
        "个人账户": "Personal account",
        "查询暂不可用，请稍后再试": "Cannot be looked up now, please try later",
        "正在打印，共 2 页": "Printing 2 pages",
        "请在下方出纸口取走证明，请勿用力拉拽": "Take the sheets below; please do not pull",
        "证明已生成": "Document prepared",
        "已加盖电子印章": "Sealed electronically",
        "第 1 页已打印": "Page 1 printed",
        "正在打印第 2 页": "Printing page 2",
        "正在连接，请稍候": "Connecting, please wait",
        "通常需要几秒钟": "This usually takes a few seconds",
        "查询、资格确认等其他业务可照常办理": "All other services are available as usual",
        "已自动通知管理员": "The staff has been told automatically",
        "您未打印的证明已保存，可凭卡在任意一台终端补打，无需重新申请": (
            "Your certificate is kept and can be printed at any terminal with your card"
        ),
        "办理其他业务": "Other services",
        "附近可用终端": "Nearby terminals",
        "告警号 A-2031": "Alarm A-2031",
        "办好了，请取走您的卡和证明": "All done. Please take your card and sheets",
        "证明共 2 页，扫描右下角二维码可验真": "2 pages; scan the code on them to verify",
        "再办一件": "Do something else",
        "还在办理吗？": "Are you still there?",
        "为保护您的信息，时间到后将自动退出": "To protect your data you will be signed out soon",
        "继续办理": "Go on",
        "现在退出": "Leave now",
        "查我的账户": "My accounts",
        "叫工作人员来帮忙": "Call staff to help",
        "您好，请选择": "Hello, please choose",
        "恢复标准版": "Standard view",
        "本机暂停服务": "Out of service",
        "请到旁边的机器办理，或到窗口办理": "Please use the next machine or a counter",
    },
)
